/**
 * The Store port: the registry as core sees it. Every call is synchronous. The calls inside `tx` are one transaction;
 * a failed commit throws `storage` and stores nothing. `store/` implements it on SQLite, in a file or in memory.
 */
import type { RowKey } from "../../../base/cursor.ts";
import type { MessageState } from "../../../contract/words.ts";
import type { EventDraft, EventRow } from "../events.ts";
import type { Catalogue, ChildIdentity, Epoch } from "./agent.ts";
import type { AutomationStore, InboxStore, OutboxStore } from "./automation.ts";
import type { Hit, IndexedItem, ItemQuery, SearchedLane, Sync } from "./indexed.ts";
import type { ProfileStore } from "./profile.ts";
import type { RelayStore } from "./relay.ts";
import type {
  Counts,
  EpochRow,
  EventFilter,
  Lane,
  LaneFacts,
  Message,
  MessageId,
  Ref,
  Request,
  StatusFacts,
  SummaryFacts,
  Turn,
  UsageLimit,
} from "./rows.ts";
import type { ToolCallStore } from "./tool.ts";
import type { UsageStore } from "./usage.ts";

/** A place in the list of all messages, oldest first. */
export interface MessageCursor {
  created_at: number;
  id: string;
}

export interface Store {
  /**
   * Joins the open transaction, if there is one. `fn` must not await. `durable`: on disk before it returns. `soon`:
   * survives the death of any process, and is on disk with the next durable one; a power cut may lose it.
   */
  tx<T>(fn: () => T, how?: "durable" | "soon"): T;
  /** Resolves when every transaction so far is on disk. Rejects with `storage`: it is not known whether they are. */
  synced(): Promise<void>;

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
    /** By lane: how many sub-agents worked by its newest `thread.agents` of the newest Codex. Lanes with some only. */
    workingAgents(): { lane: Ref; working: number }[];
    /** The lane of each row after `seq`, without the audit; null: the row is about Codex as a whole. */
    lanesSince(seq: number): (Ref | null)[];
    /** Deletes rows older than `before` among the oldest `limit`, never the newest row of all. Returns how many. */
    prune(before: number, limit: number): number;
  };

  epochs: {
    open(child: ChildIdentity, at: number): Epoch;
    markUp(id: Epoch, version: string, at: number): void;
    end(id: Epoch, reason: string, at: number): void;
    unended(): EpochRow[];
    /** True only for an epoch that existed and is over. */
    isEnded(id: Epoch | null): boolean;
  };

  lanes: {
    add(lane: Lane): void;
    find(ref: Ref): Lane | undefined;
    /** Throws `not_found`. */
    get(ref: Ref): Lane;
    set(ref: Ref, change: Partial<Omit<Lane, "ref" | "created_at" | "pending">>): void;
    forget(ref: Ref, at: number): void;
    /** Lanes with work that may start now, the longest waiting first. */
    waiting(limit: number): Ref[];
    /** Lanes of ephemeral threads that are not gone. Codex stores nothing of them. */
    ephemeral(): Lane[];
    /** Own lanes whose goal is active in the registry. */
    withActiveGoal(): Lane[];
    withInterruptedGoal(): Lane[];
    findByThread(threadId: string): Lane | undefined;
    findByHandle(handle: string): Lane | undefined;
    findByTitle(title: string): Lane[];
    findByPrefix(prefix: string): Lane[];
    /** Lanes whose title contains this, in any case. */
    findByPart(part: string): Lane[];
    findByCreateKey(key: string): Lane | undefined;
    /** Dispatch writes it: it is neither attached nor forgotten. */
    isOwn(ref: Ref): boolean;
    /** Includes forgotten lanes: a ref is never reused. */
    isRefTaken(ref: string): boolean;
    findFacts(ref: Ref): LaneFacts | undefined;
    /** Throws `not_found`. */
    getFacts(ref: Ref): LaneFacts;
    /** Newest activity first. */
    listFacts(filter: { archived: boolean; limit: number }): LaneFacts[];
    /** The same threads in the same order, with the facts of a summary only. */
    summaries(filter: { archived: boolean; limit: number }): SummaryFacts[];
    count(): number;
    /** For every lane that is not archived; cheap, to count by status. */
    statusFacts(): StatusFacts[];
    /**
     * Lanes with something unfinished: a setup, a running turn, or a message that is queued, claimed, sent or
     * delivered.
     */
    unfinished(): Ref[];
  };

  turns: {
    find(lane: Ref, turnId: string): Turn | undefined;
    /** Throws `not_found`. */
    get(lane: Ref, turnId: string): Turn;
    put(turn: Turn): void;
    latest(lane: Ref): Turn | undefined;
    /** The newest `limit`, newest first. */
    listNewest(lane: Ref, limit: number): Turn[];
    /** The first turn after this one; null: the first of all. */
    next(lane: Ref, after: string | null): Turn | undefined;
    running(lane: Ref): Turn[];
    listRunning(): Turn[];
    /** Turns that began since then, and the one before them if it did not end earlier; the newest `limit`, oldest first. */
    listSince(lane: Ref, since: number, limit: number): Turn[];
    /** Deletes that turn and all later ones. */
    dropFrom(lane: Ref, turnId: string): void;
  };

  messages: {
    add(message: Message): void;
    find(id: string): Message | undefined;
    /** Throws `not_found`. */
    get(id: string): Message;
    findByKey(key: string): Message | undefined;
    /** Accepted since then, of all threads; the newest `limit`, newest first. */
    listSince(since: number, limit: number): Message[];
    set(
      id: MessageId,
      change: Partial<Omit<Message, "id" | "lane" | "text" | "sha256" | "created_at">>,
    ): void;
    /** The next message that may start a turn, in queue order. `urgent`: only those that may pass a hold. */
    next(lane: Ref, urgent: boolean): Message | undefined;
    /** The next message that adds context. */
    nextContext(lane: Ref): Message | undefined;
    /** Steers aimed at this turn that are not settled, in order. */
    steers(lane: Ref, turnId: string): Message[];
    /** Threads with a turn that runs in this child, or with a message in flight that starts one; of one directory, or all. */
    countBusy(epoch: Epoch | null, cwd?: string): number;
    /** Claimed or sent: at most one. */
    inFlight(lane: Ref): Message | undefined;
    /** Claimed, sent, delivered or unsure. */
    open(lane: Ref): Message[];
    ofTurn(lane: Ref, turnId: string): Message[];
    /** In any state, those with the longest chain of causes first. */
    answeredBy(lane: Ref, turnId: string, limit: number): Message[];
    /** For a new message: behind the last, ahead of the first, or behind the last of those that may pass a hold. */
    position(lane: Ref, at: "back" | "front" | "urgent"): number;
    /** How many messages of that caller were accepted since then. */
    countFrom(lane: Ref, caller: string, since: number): number;
    /** The first message that the lane ever received. */
    first(lane: Ref): Message | undefined;
    /** In queue order, behind that position; null: from the first on. */
    listQueued(lane: Ref, page: { after: RowKey | null; limit: number }): Message[];
    /**
     * A free position in front of this one, behind all that is before it. The others keep theirs, which are the keys of
     * pages; only when no number is left between, those from this one on get new ones.
     */
    positionBefore(lane: Ref, position: number): number;
    /** Newest first, behind that key. */
    list(filter: {
      lane?: Ref;
      states?: readonly MessageState[];
      after?: RowKey | null;
      limit: number;
    }): Message[];
    /**
     * Deletes the texts of ended messages that were accepted before `before`, from `after` on. Returns where to go on;
     * null at the end.
     */
    dropTexts(page: { before: number; after: MessageCursor | null; limit: number }): MessageCursor | null;
  };

  requests: {
    add(request: Request): void;
    find(id: string): Request | undefined;
    /** Throws `not_found`. */
    get(id: string): Request;
    findByWire(epoch: Epoch, rpcId: string | number): Request | undefined;
    set(id: string, change: Partial<Pick<Request, "state" | "decision" | "answered_by" | "closed_at">>): void;
    listOpen(filter: { epoch?: Epoch; lane?: Ref; turn_id?: string }): Request[];
    list(filter: { lane?: Ref; after?: RowKey | null; limit: number }): Request[];
    /** Newest first. */
    listSince(filter: { lane?: Ref; since: number; limit: number }): Request[];
  };

  toolCalls: ToolCallStore;

  items: {
    /** Adds the item, or replaces a shorter reading of it. True when anything is new. */
    put(item: IndexedItem): boolean;
    has(lane: Ref, turnId: string, itemId: string): boolean;
    search(query: ItemQuery): Hit[];
    /** The same without snippets, for ranking: whole texts as the index reads them (base/unspaced.ts). */
    texts(query: ItemQuery): { id: number; text: string }[];
    /** For ids that `texts` returned, in their order. */
    hits(match: string, ids: readonly number[]): Hit[];
    lanes(archived: boolean): SearchedLane[];
    /** The newest messages of the agent and the user of a thread, as they were indexed, oldest first. */
    newest(lane: Ref, limit: number): string[];
    sync(lane: Ref): Sync | undefined;
    setSync(lane: Ref, change: Partial<Pick<Sync, "top_turn" | "gaps" | "synced_at" | "error">>): void;
    /** False while the index has texts of an older schema that are not split. */
    isSplit(): boolean;
    /** Splits the next of them: at most `limit` items, and until `bytesMax` bytes are new. */
    splitOld(limit: number, bytesMax: number): void;
    /** Deletes up to `limit` items of forgotten lanes. Returns how many. */
    dropForgotten(limit: number): number;
  };

  usageLimits: {
    list(): UsageLimit[];
    /** Replaces the limit of the same provider. */
    put(limit: UsageLimit): void;
    remove(provider: string): void;
  };

  usage: UsageStore;
  profiles: ProfileStore;
  relay: RelayStore;

  automations: AutomationStore;
  inbox: InboxStore;
  outbox: OutboxStore;

  counts(): Counts;
  close(): void;
}
