/** The shapes that many outputs share. Field names are the contract. Times are ISO-8601 UTC. */
import * as v from "valibot";
import type { ChangeKind } from "../core/model/ports/filechange.ts";
import type { Ruling } from "../core/model/ruling.ts";

const time = v.string();
const orNull = <S extends v.GenericSchema>(schema: S) => v.nullable(schema);

const turn = v.object({
  id: v.string(),
  status: v.picklist(["in_progress", "completed", "failed", "interrupted"]),
  origin: v.picklist(["ours", "goal", "queue", "other"]),
  error: orNull(v.object({ message: v.string(), kind: orNull(v.string()) })),
  started_at: time,
  completed_at: orNull(time),
  retrying_since: orNull(time),
  retrying_reason: orNull(v.string()),
});

/** What a policy makes of a question. */
export const rulings = ["ask", "deny", "approve"] as const satisfies readonly Ruling[];

export const threadStatuses = [
  "idle",
  "busy",
  "waiting",
  "error",
  "blocked",
  "archived",
  "gone",
  "unknown",
] as const;

/** `release` is the command that ends the hold; null where nothing is held. */
export const queueView = v.object({
  pending: v.number(),
  held: v.boolean(),
  reason: v.nullable(v.string()),
  release: v.nullable(v.string()),
});

/** Everything an output says about one thread. */
export const threadView = {
  ref: v.string(),
  id: orNull(v.string()),
  parent_id: orNull(v.string()),
  title: v.string(),
  handle: orNull(v.string()),
  source: v.picklist(["own", "attached"]),
  status: v.picklist(threadStatuses),
  as_of: time,
  confidence: v.picklist(["live", "stale", "unknown"]),
  setup: orNull(v.picklist(["starting", "started"])),
  ephemeral: v.boolean(),
  cwd: v.string(),
  writable: v.boolean(),
  write_locked_reason: orNull(v.string()),
  latest_turn: orNull(turn),
  last_message: orNull(v.object({ text: v.string(), truncated: v.boolean(), turn_id: v.string(), at: time })),
  queue: queueView,
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
  sync: v.object({
    state: v.picklist(["metadata", "partial", "complete", "error"]),
    turns: v.number(),
    items: v.number(),
    bytes: v.number(),
    last_synced_at: orNull(time),
    source: orNull(v.picklist(["live", "history"])),
    truncated: v.boolean(),
    error: orNull(v.string()),
  }),
  created_by: orNull(v.string()),
  created_at: time,
  updated_at: time,
};

export const threadObject = v.object(threadView);
export type Thread = v.InferOutput<typeof threadObject>;

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
  mode: v.picklist(["send", "queue", "steer", "interject", "context"]),
  state: v.picklist(["queued", "claimed", "sent", "delivered", "done", "failed", "cancelled", "unsure"]),
  outcome: orNull(v.picklist(["completed", "failed", "interrupted"])),
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

const changeKinds = ["add", "delete", "update", "move"] as const satisfies readonly ChangeKind[];

/** What is done to one file; `to` is the new path of a move. */
export const fileChange = { path: v.string(), kind: v.picklist(changeKinds), to: orNull(v.string()) };

export const requestView = {
  id: v.string(),
  kind: v.string(),
  thread: v.string(),
  turn_id: orNull(v.string()),
  sub_agent: orNull(v.string()),
  state: v.picklist(["open", "answered", "expired"]),
  summary: v.string(),
  reason: orNull(v.string()),
  command: orNull(v.string()),
  cwd: orNull(v.string()),
  outside_sandbox: v.boolean(),
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
  truncated: v.boolean(),
  missing_bytes: v.number(),
  asked_at: time,
  expires_at: orNull(time),
  answered_by: orNull(v.string()),
  decision: orNull(v.string()),
};

export const requestObject = v.object(requestView);
export type Request = v.InferOutput<typeof requestObject>;

const eventView = {
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
export type Event = v.InferOutput<typeof eventObject>;
