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
import type { RequestDetails } from "./request.ts";
import type {
  EffectiveSettings,
  GoalFacts,
  ThreadSettings,
  TokenUsage,
  TurnError,
  TurnOverrides,
  TurnStatus,
} from "./thread.ts";

/** A lane's primary key. Branded, so that a thread id or a handle cannot be passed for one. */
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
  /** For a sub-agent: Codex's id of the thread that spawned it. */
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
  /** For `new --goal`: requested; then set but paused until the first message is delivered; then null. */
  goal_setup: "wanted" | "paused" | null;
  /** The last turn ran with settings of its own, which Codex keeps for later turns (facts F27). */
  overridden: boolean;
  /** How many messages are queued; the registry itself counts them. */
  readonly pending: number;
  tokens: TokenUsage | null;
  last_message: LastMessage | null;
  create_key: string | null;
  create_digest: string | null;
  created_by: string | null;
  /** An agent gave it its title and handle: a rule by handle does not match it. */
  named_by_agent: boolean;
  cause_id: string | null;
  /** The ruling for its requests that no rule decides; null: the configuration decides. */
  requests: Ruling | null;
  /** When the state in this row was last confirmed. */
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
  /** In a turn that we start, or through Codex's own queue when another app writes the thread. */
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
  /** For a file change recorded by an older dispatch, which kept no `changes`. */
  diff: string | null;
  /** For a file change; null: not known. Diffs may be cut at a line. */
  changes: FileChange[] | null;
  /** It is certain that an approval allows nothing that the sandbox would stop. */
  inside_sandbox: boolean;
  /** Bytes of the command and the diffs that were over the limit and are not kept. */
  missing_bytes: number;
  /** Null when it was over the limit of a request: then a request that needs it can only be denied. */
  asks: RequestDetails | null;
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

/** The facts that a lane's status follows from. */
export interface StatusFacts {
  lane: Pick<Lane, "ref" | "thread_id" | "source" | "setup" | "evidence_at" | "archived_at" | "gone_at">;
  latest: Pick<Turn, "status" | "epoch"> | null;
  requests: { length: number };
}

/** The facts that a row of `list` is made from. */
export interface SummaryFacts {
  lane: StatusFacts["lane"] &
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
  /** Ids of the open requests, the oldest first. */
  requests: string[];
  ephemeral: boolean;
  /** The limits of all providers. */
  usage_limits: readonly UsageLimit[];
  /** Status of its goal, or that it was interrupted. */
  goal: string | null;
  /** The beginning of its last message, and when that was written; epoch ms. */
  last: string | null;
  last_at: number | null;
}

/** The account of a model provider is used up: no turn starts on that provider until then. */
export interface UsageLimit {
  provider: string;
  /** Codex's id of the limit. */
  limit_id: string | null;
  /** As Codex reports it; epoch ms. */
  resets_at: number;
  /** When the queue goes on; epoch ms. */
  until: number;
  began_at: number;
  reason: string;
}

/** A lane with all that its view needs, read at once. */
export interface LaneFacts {
  lane: Lane;
  latest: Turn | null;
  in_flight: number;
  unsure: number;
  requests: Request[];
  sync: Sync | null;
  /** The limits of all providers. */
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
