/**
 * The Store port: the registry as core sees it. Every call is synchronous and inside `tx` they are one transaction;
 * a failed commit throws `storage` and leaves nothing behind. `store/` implements it on SQLite, in a file or in memory.
 */
import type { EventDraft, EventRow } from "../event.ts";
import type { MessageState, Mode, Outcome } from "../message.ts";
import type { Ruling } from "../policy.ts";
import type {
  Asks,
  Catalogue,
  ChildIdentity,
  EffectiveSettings,
  Epoch,
  GoalFacts,
  RequestKind,
  ThreadSettings,
  TokenUsage,
  TurnError,
  TurnOverrides,
  TurnStatus,
} from "./agent.ts";

/** A lane's primary key. Branded, so that a thread id or a handle never passes for one. */
export type Ref = string & { readonly ref: unique symbol };
export type MessageId = string & { readonly messageId: unique symbol };

export type HoldReason = "failed" | "stopped" | "crashed" | "unsure" | "settings_differ" | "by_hand";

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
  diff: string | null;
  /** Null when it was over the limit of a request: then only a no is an answer where this is needed. */
  asks: Asks | null;
  decision: string | null;
  answered_by: string | null;
  asked_at: number;
  expires_at: number | null;
  closed_at: number | null;
}

export type IndexedType =
  | "user_message"
  | "agent_message"
  | "plan"
  | "command"
  | "file_change"
  | "mcp_tool_call"
  | "error";

/** One thing said or done, as search finds it. */
export interface IndexedItem {
  lane: Ref;
  turn_id: string;
  item_id: string;
  type: IndexedType;
  /** Epoch ms. */
  at: number;
  text: string;
}

export interface Hit extends Omit<IndexedItem, "text"> {
  /** Its place in the order of time, to go on from. */
  id: number;
  /** The text around the hit, on one line; the hit itself from `start` to `end`. */
  snippet: string;
  start: number;
  end: number;
}

export interface ItemQuery {
  /** In FTS5's own syntax: made by core/query.ts from what a caller typed, never typed by one. */
  match: string;
  lanes: readonly Ref[];
  /** Epoch ms, both inclusive. */
  since: number | null;
  until: number | null;
  order: "newest" | "oldest";
  /** The id of the hit that a page ended with. */
  after: number | null;
  limit: number;
}

/** A stretch of history that was not read: from Codex's cursor down to a turn that was, or to the beginning. */
export interface Gap {
  cursor: string | null;
  until: string | null;
}

export interface Sync {
  lane: Ref;
  /** The newest turn that was read when it was over; null when none was. */
  top_turn: string | null;
  /** Newest first. */
  gaps: Gap[];
  turns: number;
  items: number;
  bytes: number;
  synced_at: number | null;
  error: string | null;
}

/** The little of a lane that search chooses by. */
export interface SearchedLane {
  ref: Ref;
  thread_id: string | null;
  title: string;
  cwd: string;
  created_at: number;
  updated_at: number;
  isWhole: boolean;
}

export interface EpochRow extends ChildIdentity {
  id: Epoch;
  version: string | null;
  started_at: number;
  up_at: number | null;
  ended_at: number | null;
  end_reason: string | null;
}

/** A lane with what its view needs, read in one go. */
/** The little that a lane's status follows from. */
export interface StandingFacts {
  lane: Pick<Lane, "thread_id" | "source" | "setup" | "evidence_at" | "archived_at" | "gone_at">;
  latest: Pick<Turn, "status" | "epoch"> | null;
  requests: { length: number };
}

export interface LaneFacts {
  lane: Lane;
  latest: Turn | null;
  in_flight: number;
  unsure: number;
  requests: Request[];
  sync: Sync | null;
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
  messages: Partial<Record<MessageState, number>>;
}

export interface Store {
  /**
   * Joins the transaction that is open, if one is. `fn` must not await. `durable`: on the disk before it returns.
   * `soon`: kept through any death of a process, and on the disk with the next durable one; a power cut may take it.
   */
  tx<T>(fn: () => T, how?: "durable" | "soon"): T;

  log: {
    /** Codex's models as last seen. */
    catalogue(): { catalogue: Catalogue; at: number } | null;
    setCatalogue(catalogue: Catalogue, at: number): void;
    id(): string;
    first(): number;
    last(): number;
    codexHome(): string | null;
    setCodexHome(home: string): void;
  };

  events: {
    append(event: EventDraft, at: number): number;
    list(filter: EventFilter): EventRow[];
    /** Newest first. */
    newest(filter: Omit<EventFilter, "after">): EventRow[];
    /** Drops what is older, never the newest row. */
    prune(before: number): number;
  };

  epochs: {
    open(child: ChildIdentity, at: number): Epoch;
    markUp(id: Epoch, version: string, at: number): void;
    end(id: Epoch, reason: string, at: number): void;
    unended(): EpochRow[];
    /** True only of an epoch that was and is over. */
    isEnded(id: Epoch | null): boolean;
  };

  lanes: {
    add(lane: Lane): void;
    get(ref: Ref): Lane | undefined;
    set(ref: Ref, change: Partial<Omit<Lane, "ref" | "created_at" | "pending">>): void;
    forget(ref: Ref, at: number): void;
    /** With work that may start now, the longest waiting first. */
    waiting(limit: number): Ref[];
    /** Of threads that Codex keeps nothing of, and that are not gone. */
    ephemeral(): Lane[];
    findByThread(threadId: string): Lane | undefined;
    findByHandle(handle: string): Lane | undefined;
    findByTitle(title: string): Lane[];
    findByPrefix(prefix: string): Lane[];
    /** Whose title holds this, in whatever case. */
    findByPart(part: string): Lane[];
    findByCreateKey(key: string): Lane | undefined;
    /** Also of lanes that were forgotten: a ref is never reused. */
    isRefTaken(ref: string): boolean;
    facts(ref: Ref): LaneFacts | undefined;
    /** Newest activity first. */
    listFacts(filter: { archived: boolean; limit: number }): LaneFacts[];
    count(): number;
    /** Of every lane that is not archived, cheaply: for counting by status. */
    standings(): StandingFacts[];
    /** Lanes with something unfinished: a setup, a running turn, or a message that is queued, claimed, sent or delivered. */
    unfinished(): Ref[];
  };

  turns: {
    get(lane: Ref, turnId: string): Turn | undefined;
    put(turn: Turn): void;
    latest(lane: Ref): Turn | undefined;
    /** The first after this one; the first of all without one. */
    next(lane: Ref, after: string | null): Turn | undefined;
    running(lane: Ref): Turn[];
    listRunning(): Turn[];
    /** Forgets that turn and all after it. */
    dropFrom(lane: Ref, turnId: string): void;
  };

  messages: {
    add(message: Message): void;
    get(id: string): Message | undefined;
    findByKey(key: string): Message | undefined;
    set(
      id: MessageId,
      change: Partial<Omit<Message, "id" | "lane" | "text" | "sha256" | "created_at">>,
    ): void;
    /** The next that may start a turn: in the order of the queue; `urgent` only those that a hold lets pass. */
    next(lane: Ref, urgent: boolean): Message | undefined;
    /** The next that adds context. */
    nextContext(lane: Ref): Message | undefined;
    /** Steers aimed at this turn that are not settled, in order. */
    steers(lane: Ref, turnId: string): Message[];
    /** Threads with a turn running in this child, or one of ours about to. */
    countBusy(epoch: Epoch | null): number;
    /** Claimed or sent: at most one. */
    inFlight(lane: Ref): Message | undefined;
    /** Claimed, sent, delivered or unsure. */
    open(lane: Ref): Message[];
    ofTurn(lane: Ref, turnId: string): Message[];
    /** Where a new one goes: behind the last, ahead of the first, or behind the last of those that a hold lets pass. */
    position(lane: Ref, at: "back" | "front" | "urgent"): number;
    /** The first that the lane was ever given. */
    first(lane: Ref): Message | undefined;
    /** In the order of the queue. */
    listQueued(lane: Ref, page: { offset: number; limit: number }): Message[];
    /** Moves all that stand at this place or behind it one back. */
    makeRoom(lane: Ref, position: number): void;
    list(filter: { lane?: Ref; states?: readonly MessageState[]; limit: number }): Message[];
  };

  requests: {
    add(request: Request): void;
    get(id: string): Request | undefined;
    findByWire(epoch: Epoch, rpcId: string | number): Request | undefined;
    set(id: string, change: Partial<Pick<Request, "state" | "decision" | "answered_by" | "closed_at">>): void;
    listOpen(filter: { epoch?: Epoch; lane?: Ref; turn_id?: string }): Request[];
    list(filter: { lane?: Ref; limit: number }): Request[];
    /** Newest first. */
    listSince(filter: { lane?: Ref; since: number; limit: number }): Request[];
  };

  items: {
    /** Adds it, or the longer of two readings of it. True when anything is new. */
    put(item: IndexedItem): boolean;
    has(lane: Ref, turnId: string, itemId: string): boolean;
    search(query: ItemQuery): Hit[];
    /** The same without the snippets, whole: to be ranked. */
    texts(query: ItemQuery): { id: number; text: string }[];
    /** Of ids that `texts` gave, in their order. */
    hits(match: string, ids: readonly number[]): Hit[];
    lanes(archived: boolean): SearchedLane[];
    sync(lane: Ref): Sync | undefined;
    setSync(lane: Ref, change: Partial<Pick<Sync, "top_turn" | "gaps" | "synced_at" | "error">>): void;
    /** Takes away up to so many items of lanes that were forgotten; answers how many. */
    dropForgotten(limit: number): number;
  };

  counts(): Counts;
  close(): void;
}
