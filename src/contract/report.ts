/** What the threads did in a period of time. */
import * as v from "valibot";
import { orNull, time } from "./shape.ts";
import { pastTurn } from "./thread.ts";
import { reportedUsage } from "./usage.ts";
import { messageStates, requestStates, threadStatuses } from "./words.ts";

const reportedRequest = v.object({
  id: v.string(),
  kind: v.string(),
  summary: v.string(),
  state: v.picklist(requestStates),
  decision: orNull(v.string()),
  answered_by: orNull(v.string()),
  asked_at: time,
  /** Null: it is still open. */
  closed_at: orNull(time),
});

/** A text that waited for its turn, from its acceptance to its claim. */
const queued = v.object({
  receipt: v.string(),
  state: v.picklist(messageStates),
  accepted_at: time,
  /** Null: it still waits, or it was cancelled. */
  claimed_at: orNull(time),
});

/** Durations in seconds, inside the period only. */
const totals = {
  turns: v.number(),
  failed: v.number(),
  interrupted: v.number(),
  running: v.number(),
  busy_seconds: v.number(),
  requests: v.number(),
  answer_wait_seconds: v.number(),
  queued: v.number(),
  queue_wait_seconds: v.number(),
};

const reportedThread = v.object({
  ref: v.string(),
  title: v.string(),
  cwd: v.string(),
  status: v.picklist(threadStatuses),
  parent_id: orNull(v.string()),
  ...totals,
  /** Used on the days that the period touches. */
  tokens: v.number(),
  /** `completed_at` null: it runs, or its end is not known. */
  turns_list: v.array(pastTurn),
  requests_list: v.array(reportedRequest),
  queued_list: v.array(queued),
});
export type ReportedThread = v.InferOutput<typeof reportedThread>;

export const reportShape = {
  since: time,
  until: time,
  ...totals,
  ...reportedUsage,
  /** Those with something in the period, the longest at work first. */
  threads: v.array(reportedThread),
  /** A limit left turns, questions or texts out: the newest are here. */
  truncated: v.boolean(),
};
const report = v.object(reportShape);
export type Report = v.InferOutput<typeof report>;
