/** A thread, as a whole and as a row of `list`. */
import * as v from "valibot";
import { orNull, time } from "./shape.ts";
import { confidences, rulings, threadSources, threadStatuses, turnOrigins, turnStatuses } from "./words.ts";

const turn = v.object({
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

/** A turn of the past, in short. */
export const pastTurn = v.object({
  id: v.string(),
  status: v.picklist(turnStatuses),
  origin: v.picklist(turnOrigins),
  error: orNull(v.string()),
  started_at: time,
  completed_at: orNull(time),
});
export type PastTurn = v.InferOutput<typeof pastTurn>;

/** `release` is the command that ends the hold; null: nothing is held. */
export const queueShape = v.object({
  pending: v.number(),
  held: v.boolean(),
  reason: v.nullable(v.string()),
  release: v.nullable(v.string()),
});
export type QueueView = v.InferOutput<typeof queueShape>;

/**
 * What the index has of a thread. state: `metadata`, no items; `partial`, some items; `complete`, all items up to
 * `last_synced_at`. source: `live`, only from live events; `history`, Codex's history was read. truncated: a limit left
 * something out, and another sync continues.
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

/** A thread as outputs show it. */
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
  /** Thread ids of its working sub-agents. */
  agents: v.array(v.string()),
  warnings: v.array(v.string()),
  goal: orNull(
    v.object({
      objective: v.string(),
      status: v.string(),
      resume: orNull(v.string()),
      /** What it waits for before it begins by itself. */
      waits: orNull(v.string()),
    }),
  ),
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
  /** The version of the tools of dispatch that it has: `dispatch_v1`. */
  tools: orNull(v.string()),
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
    release: orNull(v.string()),
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
