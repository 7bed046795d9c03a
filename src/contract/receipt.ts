/** What became of a message. */
import * as v from "valibot";
import { orNull, time } from "./shape.ts";
import { messageStates, modes, outcomes } from "./words.ts";

export const receiptView = {
  receipt: v.string(),
  thread: v.string(),
  mode: v.picklist(modes),
  state: v.picklist(messageStates),
  outcome: orNull(v.picklist(outcomes)),
  turn_id: orNull(v.string()),
  joined: v.boolean(),
  held: orNull(v.string()),
  release: orNull(v.string()),
  /** Why it waits, when it is not held: a limit, or what Codex refused. */
  waits: orNull(v.string()),
  attempt: v.number(),
  key: orNull(v.string()),
  cause: orNull(v.string()),
  created_at: time,
  updated_at: time,
  error: orNull(v.object({ code: v.string(), message: v.string() })),
  caveat: orNull(v.string()),
};

/** What caused a message, the nearest first: messages, and an event of the log that a trigger or a subscription saw. */
export const causeObject = v.object({
  /** A receipt, or `event N`. */
  cause: v.string(),
  thread: orNull(v.string()),
  /** Who wrote the message: a client, a thread, a trigger or a subscription. */
  by: orNull(v.string()),
});
export type Cause = v.InferOutput<typeof causeObject>;

export const receiptObject = v.object(receiptView);

export type Receipt = v.InferOutput<typeof receiptObject>;
