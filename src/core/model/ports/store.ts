/**
 * The Store port: the registry as core sees it. Every call is synchronous and inside `tx` they are one transaction;
 * a failed commit throws `storage` and leaves nothing behind. `store/` implements it on SQLite, in a file or in memory.
 */
import type { MessageState } from "../../../contract/words.ts";
import type { EventDraft, EventRow } from "../events.ts";
import type { Catalogue, ChildIdentity, Epoch } from "./agent.ts";
import type { AutomationStore, InboxStore, OutboxStore } from "./automation.ts";
import type { Hit, IndexedItem, ItemQuery, SearchedLane, Sync } from "./indexed.ts";
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
  StandingFacts,
  SummaryFacts,
  Turn,
  UsageLimit,
} from "./rows.ts";

/** Where a queued message is: two of one position go by id. */
export type QueuePlace = Pick<Message, "position" | "id">;

/** A place among all messages, oldest first. */
export interface TextPlace {
  created_at: number;
  id: string;
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
    /** The lane that each row after `seq` tells of, the audit left out; null: it tells of Codex as a whole. */
    lanesSince(seq: number): (Ref | null)[];
    /** Drops what is older among the oldest `limit` rows, never the newest of all; answers how many. */
    prune(before: number, limit: number): number;
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
    find(ref: Ref): Lane | undefined;
    /** Throws `not_found`. */
    get(ref: Ref): Lane;
    set(ref: Ref, change: Partial<Omit<Lane, "ref" | "created_at" | "pending">>): void;
    forget(ref: Ref, at: number): void;
    /** With work that may start now, the longest waiting first. */
    waiting(limit: number): Ref[];
    /** Of threads that Codex keeps nothing of, and that are not gone. */
    ephemeral(): Lane[];
    /** Own ones whose goal is active by the registry. */
    withActiveGoal(): Lane[];
    withInterruptedGoal(): Lane[];
    findByThread(threadId: string): Lane | undefined;
    findByHandle(handle: string): Lane | undefined;
    findByTitle(title: string): Lane[];
    findByPrefix(prefix: string): Lane[];
    /** Whose title holds this, in whatever case. */
    findByPart(part: string): Lane[];
    findByCreateKey(key: string): Lane | undefined;
    /** Also of lanes that were forgotten: a ref is never reused. */
    isRefTaken(ref: string): boolean;
    findFacts(ref: Ref): LaneFacts | undefined;
    /** Throws `not_found`. */
    getFacts(ref: Ref): LaneFacts;
    /** Newest activity first. */
    listFacts(filter: { archived: boolean; limit: number }): LaneFacts[];
    /** The same threads in the same order, without what only a whole view shows. */
    summaries(filter: { archived: boolean; limit: number }): SummaryFacts[];
    count(): number;
    /** Of every lane that is not archived, cheaply: for counting by status. */
    standings(): StandingFacts[];
    /** Lanes with something unfinished: a setup, a running turn, or a message that is queued, claimed, sent or delivered. */
    unfinished(): Ref[];
  };

  turns: {
    find(lane: Ref, turnId: string): Turn | undefined;
    /** Throws `not_found`. */
    get(lane: Ref, turnId: string): Turn;
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
    find(id: string): Message | undefined;
    /** Throws `not_found`. */
    get(id: string): Message;
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
    /** Of that caller, accepted since then. */
    countFrom(lane: Ref, caller: string, since: number): number;
    /** The first that the lane was ever given. */
    first(lane: Ref): Message | undefined;
    /** In the order of the queue, behind that place; null: from the first on. */
    listQueued(lane: Ref, page: { after: QueuePlace | null; limit: number }): Message[];
    /** Moves all that stand at this place or behind it one back. */
    makeRoom(lane: Ref, position: number): void;
    list(filter: { lane?: Ref; states?: readonly MessageState[]; limit: number }): Message[];
    /**
     * Takes the texts of ended messages that were accepted before this moment, from `after` on; answers where to go on,
     * null at the end.
     */
    dropTexts(page: { before: number; after: TextPlace | null; limit: number }): TextPlace | null;
  };

  requests: {
    add(request: Request): void;
    find(id: string): Request | undefined;
    /** Throws `not_found`. */
    get(id: string): Request;
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
    /** The same without the snippets, whole and as the index reads them (base/unspaced.ts): to be ranked. */
    texts(query: ItemQuery): { id: number; text: string }[];
    /** Of ids that `texts` gave, in their order. */
    hits(match: string, ids: readonly number[]): Hit[];
    lanes(archived: boolean): SearchedLane[];
    /** What agent and user of a thread wrote last, as it was indexed, oldest first. */
    newest(lane: Ref, limit: number): string[];
    sync(lane: Ref): Sync | undefined;
    setSync(lane: Ref, change: Partial<Pick<Sync, "top_turn" | "gaps" | "synced_at" | "error">>): void;
    /** False while texts of an older schema are in the index unsplit. */
    isSplit(): boolean;
    /** Splits the next of them, among so many items and until so many bytes are new. */
    splitOld(limit: number, bytesMax: number): void;
    /** Takes away up to so many items of lanes that were forgotten; answers how many. */
    dropForgotten(limit: number): number;
  };

  usageLimits: {
    list(): UsageLimit[];
    /** In place of the one that the provider has. */
    put(limit: UsageLimit): void;
    remove(provider: string): void;
  };

  automations: AutomationStore;
  inbox: InboxStore;
  outbox: OutboxStore;

  counts(): Counts;
  close(): void;
}
