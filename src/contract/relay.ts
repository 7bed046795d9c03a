/** What machines tell each other through the relay, as JSON. A field may be added; a reader leaves out what it does not know. */
import * as v from "valibot";
import { orNull } from "./shape.ts";
import { messageStates, outcomes } from "./words.ts";

/** Receipts are UUIDs: they are also parts of subjects, so nothing else is taken for one. */
export const receiptId = v.pipe(v.string(), v.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/));

export const mailObject = v.object({
  v: v.literal(1),
  id: receiptId,
  /** A selector of a thread, as the other machine reads it; empty for a pool. */
  to: v.pipe(v.string(), v.maxLength(400)),
  text: v.string(),
  /** Who sends it there: `cli`, `mcp`, or the ref or id of a thread. */
  by: orNull(v.pipe(v.string(), v.maxLength(200))),
  settings: orNull(
    v.object({
      model: v.optional(v.string()),
      effort: v.optional(orNull(v.string())),
      service_tier: v.optional(orNull(v.string())),
      output_schema: v.optional(v.record(v.string(), v.unknown())),
    }),
  ),
  /** Messages that caused this one, one after the other. */
  depth: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
export type Mail = v.InferOutput<typeof mailObject>;

const common = { v: v.literal(1), id: receiptId, seq: v.number(), thread: orNull(v.string()) };

/** `id`: the receipt. `seq`: the event of the sending machine's log that it is about. */
export const reportObject = v.variant("kind", [
  v.object({
    ...common,
    kind: v.literal("receipt"),
    state: v.picklist(messageStates),
    outcome: orNull(v.picklist(outcomes)),
    turn_id: orNull(v.string()),
    joined: v.boolean(),
    attempt: v.number(),
    waits: orNull(v.string()),
    error: orNull(v.object({ code: v.string(), message: v.string() })),
    asks: v.array(v.object({ id: v.string(), summary: v.string() })),
    answer: orNull(v.string()),
  }),
  v.object({
    ...common,
    kind: v.literal("event"),
    at: v.number(),
    event: v.string(),
    data: v.record(v.string(), v.unknown()),
  }),
]);
export type Report = v.InferOutput<typeof reportObject>;
