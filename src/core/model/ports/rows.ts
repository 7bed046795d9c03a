/** The registry's rows, as core sees them. Times are ms since the epoch. */
import type {
  HoldReason,
  MessageState,
  Mode,
  Outcome,
  RequestKind,
  Ruling,
} from "../../../contract/words.ts";
import type { ChildIdentity, Epoch } from "./agent.ts";
import type { FileChange } from "./filechange.ts";
import type { Sync } from "./indexed.ts";
import type { Asks } from "./request.ts";
import type {
  EffectiveSettings,
  GoalFacts,
  ThreadSettings,
  TokenUsage,
  TurnError,
  TurnOverrides,
  TurnStatus,
} from "./thread.ts";

/** A lane's primary key. Branded, so that a thread id or a handle never passes for one. */
export type Ref = string & { readonly ref: unique symbol };
export type MessageId = string & { readonly messageId: unique symbol };

export interface LastMessage {
  text: string;
  truncated: boolean;
  turn_id: string;
  at: number;
}

export interface Lane {
  ref: Ref;
  thread_id: string | null;
  /** Of a sub-agent: Codex's id of the thread that spawned it. */
  parent_id: string | null;
  source: "own" | "attached";
  setup: "starting" | "started" | "ready";
  durable_at: number | null;
  title: string;
  handle: string | null;
  cwd: string;
  settings: ThreadSettings;
  effective: EffectiveSettings | null;
  rollout_path: string | null;
  hold_reason: HoldReason | null;
  blocked_reason: string | null;
  goal: GoalFacts | null;
  /** Of `new --goal`: asked for; then set but paused until the first message is delivered; then null. */
  goal_setup: "wanted" | "paused" | null;
  /** The last turn ran with settings of its own, which stick in Codex. */
  overridden: boolean;
  /** How many messages wait; kept by the registry itself. */
  readonly pending: number;
  tokens: TokenUsage | null;
  last_message: LastMessage | null;
  create_key: string | null;
  create_digest: string | null;
  created_by: string | null;
  /** An agent gave it its title and handle: a rule by handle is not about it. */
  named_by_agent: boolean;
  cause_id: string | null;
  /** What becomes of its questions that no rule decides; null: the configuration says. */
  requests: Ruling | null;
  /** When what this row says of the thread was last seen to be true. */
  evidence_at: number;
  archived_at: number | null;
  gone_at: number | null;
  created_at: number;
  updated_at: number;
}

export interface Turn {
  lane: Ref;
  turn_id: string;
  origin: "ours" | "goal" | "queue" | "other";
  status: TurnStatus;
  /** The epoch it was last seen running in. */
  epoch: Epoch | null;
  error: TurnError | null;
  retrying_since: number | null;
  started_at: number;
  completed_at: number | null;
}

export interface Message {
  id: MessageId;
  lane: Ref;
  position: number;
  mode: Mode;
  /** A turn that we start, or Codex's own queue where another app writes the thread. */
  via: "turn" | "codex_queue";
  text: string;
  sha256: string;
  state: MessageState;
  outcome: Outcome | null;
  epoch: Epoch | null;
  attempt: number;
  turn_id: string | null;
  target_turn_id: string | null;
  floor_turn_id: string | null;
  path: string | null;
  joined: boolean;
  or_queue: boolean;
  settings: TurnOverrides | null;
  key: string | null;
  digest: string | null;
  cause_id: string | null;
  depth: number;
  caller: string | null;
  error: MessageError | null;
  claimed_at: number | null;
  sent_at: number | null;
  created_at: number;
  updated_at: number;
}

export interface MessageError {
  code: string;
  message: string;
}

export interface Request {
  id: string;
  lane: Ref;
  epoch: Epoch;
  rpc_id: string | number;
  method: string;
  kind: RequestKind;
  turn_id: string | null;
  item_id: string | null;
  state: "open" | "answered" | "expired";
  summary: string;
  command: string | null;
  cwd: string | null;
  /** Of a file change that an older dispatch recorded, which kept no `changes`. */
  diff: string | null;
  /** Of a file change; null where it is not known. Diffs may be cut at a line. */
  changes: FileChange[] | null;
  /** An approval surely lets nothing happen that the sandbox would stop. */
  inside_sandbox: boolean;
  /** Bytes of the command and the diffs that were over the limit, and are not kept. */
  missing_bytes: number;
  /** Null when it was over the limit of a request: then only a no is an answer where this is needed. */
  asks: Asks | null;
  decision: string | null;
  answered_by: string | null;
  asked_at: number;
  expires_at: number | null;
  closed_at: number | null;
}

export interface EpochRow extends ChildIdentity {
  id: Epoch;
  version: string | null;
  started_at: number;
  up_at: number | null;
  ended_at: number | null;
  end_reason: string | null;
}

/** The little that a lane's status follows from. */
export interface StandingFacts {
  lane: Pick<Lane, "ref" | "thread_id" | "source" | "setup" | "evidence_at" | "archived_at" | "gone_at">;
  latest: Pick<Turn, "status" | "epoch"> | null;
  requests: { length: number };
}

/** What a row of `list` is made of. */
export interface SummaryFacts {
  lane: StandingFacts["lane"] &
    Pick<
      Lane,
      | "title"
      | "handle"
      | "cwd"
      | "parent_id"
      | "pending"
      | "hold_reason"
      | "blocked_reason"
      | "durable_at"
      | "updated_at"
    > & {
      settings: { model_provider?: string };
      effective: { model_provider: string } | null;
    };
  latest: Pick<Turn, "status" | "epoch" | "retrying_since"> | null;
  /** Ids of the open ones, the oldest first. */
  requests: string[];
  ephemeral: boolean;
  /** Of all providers. */
  usage_limits: readonly UsageLimit[];
  /** Status of its goal, or that it was interrupted. */
  goal: string | null;
  /** The beginning of its last message, and when that was written; epoch ms. */
  last: string | null;
  last_at: number | null;
}

/** The account behind a model provider has used up what it may: nothing starts on that provider until then. */
export interface UsageLimit {
  provider: string;
  /** Codex's id of what is limited. */
  limit_id: string | null;
  /** As Codex says it. */
  resets_at: number;
  /** When the queue goes on. */
  until: number;
  began_at: number;
  reason: string;
}

/** A lane with what its view needs, read in one go. */
export interface LaneFacts {
  lane: Lane;
  latest: Turn | null;
  in_flight: number;
  unsure: number;
  requests: Request[];
  sync: Sync | null;
  /** Of all providers. */
  usage_limits: readonly UsageLimit[];
}

export interface EventFilter {
  after: number;
  limit: number;
  kinds?: readonly string[];
  lanes?: readonly Ref[];
}

export interface Counts {
  lanes: number;
  queued: number;
  requests: number;
  /** Neither queued nor ended. */
  messages: Partial<Record<MessageState, number>>;
}
