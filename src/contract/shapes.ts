/** The shapes that many outputs share. Field names are the contract. Times are ISO-8601 UTC. */

import * as v from "valibot";
import {
  changeKinds,
  confidences,
  messageStates,
  modes,
  outcomes,
  requestKinds,
  requestStates,
  rulings,
  threadSources,
  threadStatuses,
  turnOrigins,
  turnStatuses,
} from "./words.ts";

const time = v.string();
const orNull = <S extends v.GenericSchema>(schema: S) => v.nullable(schema);

export const turn = v.object({
  id: v.string(),
  status: v.picklist(turnStatuses),
  origin: v.picklist(turnOrigins),
  error: orNull(v.object({ message: v.string(), kind: orNull(v.string()) })),
  started_at: time,
  completed_at: orNull(time),
  retrying_since: orNull(time),
  retrying_reason: orNull(v.string()),
});
export type TurnView = v.InferOutput<typeof turn>;

/** `release` is the command that ends the hold; null where nothing is held. */
export const queueShape = v.object({
  pending: v.number(),
  held: v.boolean(),
  reason: v.nullable(v.string()),
  release: v.nullable(v.string()),
});
export type QueueView = v.InferOutput<typeof queueShape>;

/**
 * What the index has of a thread. metadata: nothing of what was said; partial: some of it; complete: all there was at
 * `last_synced_at`. source: live, only what was heard as it happened; history, Codex's history was read. truncated: a
 * bound left something out, and another sync goes on with it.
 */
const sync = v.object({
  state: v.picklist(["metadata", "partial", "complete", "error"]),
  turns: v.number(),
  items: v.number(),
  bytes: v.number(),
  last_synced_at: orNull(time),
  source: orNull(v.picklist(["live", "history"])),
  truncated: v.boolean(),
  error: orNull(v.string()),
});
export type SyncView = v.InferOutput<typeof sync>;

/** Everything an output says about one thread. */
export const threadView = {
  ref: v.string(),
  id: orNull(v.string()),
  parent_id: orNull(v.string()),
  title: v.string(),
  handle: orNull(v.string()),
  source: v.picklist(threadSources),
  status: v.picklist(threadStatuses),
  as_of: time,
  confidence: v.picklist(confidences),
  setup: orNull(v.picklist(["starting", "started"])),
  ephemeral: v.boolean(),
  cwd: v.string(),
  writable: v.boolean(),
  write_locked_reason: orNull(v.string()),
  latest_turn: orNull(turn),
  last_message: orNull(v.object({ text: v.string(), truncated: v.boolean(), turn_id: v.string(), at: time })),
  queue: queueShape,
  /** A usage limit of the account keeps turns from starting in it until then. */
  limited: orNull(v.object({ until: time, reason: v.string() })),
  blocked: orNull(v.object({ reason: v.string(), hint: v.string() })),
  requests: v.array(v.object({ id: v.string(), kind: v.string(), summary: v.string(), asked_at: time })),
  /** Thread ids of its sub-agents that work. */
  agents: v.array(v.string()),
  warnings: v.array(v.string()),
  goal: orNull(v.object({ objective: v.string(), status: v.string(), resume: orNull(v.string()) })),
  model: v.object({
    provider: orNull(v.string()),
    model: orNull(v.string()),
    effort: orNull(v.string()),
    service_tier: v.object({
      requested: orNull(v.string()),
      resolved: orNull(v.string()),
      source: v.picklist(["flag", "config", "codex"]),
    }),
  }),
  sandbox: orNull(v.string()),
  sandbox_details: orNull(
    v.object({
      writable_roots: v.array(v.string()),
      network_access: v.boolean(),
      exclude_slash_tmp: v.boolean(),
      exclude_tmpdir: v.boolean(),
    }),
  ),
  approval_policy: orNull(v.string()),
  approval_details: orNull(v.record(v.string(), v.unknown())),
  request_policy: orNull(v.picklist(rulings)),
  tokens: orNull(
    v.object({
      total: v.number(),
      input: v.number(),
      output: v.number(),
      context_window: orNull(v.number()),
    }),
  ),
  sync,
  created_by: orNull(v.string()),
  created_at: time,
  updated_at: time,
};

export const threadObject = v.object(threadView);
export type ThreadView = v.InferOutput<typeof threadObject>;

/** A row of `list`. `last` is the beginning of the last message. */
export const threadSummary = v.object({
  ref: threadView.ref,
  id: threadView.id,
  title: threadView.title,
  handle: threadView.handle,
  source: threadView.source,
  status: threadView.status,
  confidence: threadView.confidence,
  setup: threadView.setup,
  cwd: threadView.cwd,
  parent_id: threadView.parent_id,
  queue: v.object({
    pending: v.number(),
    held: v.boolean(),
    reason: orNull(v.string()),
    blocked: orNull(v.string()),
  }),
  /** Ids of the requests that wait for an answer. */
  asks: v.array(v.string()),
  agents: v.number(),
  retrying: v.boolean(),
  /** A usage limit of the account keeps turns from starting in it until then. */
  limited_until: orNull(time),
  goal: orNull(v.string()),
  last: orNull(v.string()),
  last_at: orNull(time),
  updated_at: time,
});
export type ThreadSummary = v.InferOutput<typeof threadSummary>;

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
  attempt: v.number(),
  key: orNull(v.string()),
  cause: orNull(v.string()),
  created_at: time,
  updated_at: time,
  error: orNull(v.object({ code: v.string(), message: v.string() })),
  caveat: orNull(v.string()),
};

export const receiptObject = v.object(receiptView);
export type Receipt = v.InferOutput<typeof receiptObject>;

/** What is done to one file; `to` is the new path of a move. */
export const fileChange = { path: v.string(), kind: v.picklist(changeKinds), to: orNull(v.string()) };

export const requestView = {
  id: v.string(),
  kind: v.picklist(requestKinds),
  thread: v.string(),
  turn_id: orNull(v.string()),
  sub_agent: orNull(v.string()),
  state: v.picklist(requestStates),
  summary: v.string(),
  reason: orNull(v.string()),
  command: orNull(v.string()),
  cwd: orNull(v.string()),
  /** What an approval allows may happen outside the sandbox; true also where that is not known. */
  outside_sandbox: v.boolean(),
  /** Null: not a file change, or Codex did not say which files. `diff` is all of them as one. */
  changes: orNull(v.array(v.object({ ...fileChange, diff: v.string() }))),
  diff: orNull(v.string()),
  permissions: orNull(v.record(v.string(), v.unknown())),
  network: orNull(v.object({ host: v.string(), protocol: v.string() })),
  questions: orNull(
    v.array(
      v.object({
        id: v.string(),
        header: v.string(),
        question: v.string(),
        options: orNull(v.array(v.object({ label: v.string(), description: v.string() }))),
        is_other: v.boolean(),
        is_secret: v.boolean(),
      }),
    ),
  ),
  tool: orNull(
    v.object({
      server: orNull(v.string()),
      name: v.string(),
      description: orNull(v.string()),
      arguments: v.unknown(),
    }),
  ),
  form: orNull(
    v.object({
      mode: v.string(),
      server: v.string(),
      message: v.string(),
      schema: orNull(v.record(v.string(), v.unknown())),
      url: orNull(v.string()),
    }),
  ),
  options: v.array(v.string()),
  /** Part of the command, the changes or what is asked is not here. */
  truncated: v.boolean(),
  /** How much of it was over the limit, and is kept nowhere; 0 where only a list leaves it out. */
  missing_bytes: v.number(),
  asked_at: time,
  expires_at: orNull(time),
  answered_by: orNull(v.string()),
  decision: orNull(v.string()),
};

export const requestObject = v.object(requestView);
export type RequestView = v.InferOutput<typeof requestObject>;

export const eventView = {
  seq: v.number(),
  cursor: v.string(),
  at: time,
  kind: v.string(),
  thread: orNull(v.string()),
  turn_id: orNull(v.string()),
  receipt: orNull(v.string()),
  data: v.record(v.string(), v.unknown()),
};

export const eventObject = v.object(eventView);
export type EventView = v.InferOutput<typeof eventObject>;
