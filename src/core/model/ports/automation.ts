/** Rows of what acts by itself. Times are ms since the epoch, durations ms. */
import type { RowKey } from "../../../base/cursor.ts";
import type {
  AutomationFace,
  AutomationState,
  CatchUp,
  FiringOutcome,
  InboxState,
  Mode,
  OutboxState,
  WatchedCondition,
} from "../../../contract/words.ts";
import type { Ref } from "./rows.ts";

export type When =
  | { kind: "interval"; seconds: number }
  /** Five or six fields, in the time of the zone. */
  | { kind: "cron"; cron: string; tz: string }
  | { kind: "at"; time: number }
  | { kind: "idle_for"; seconds: number }
  /** `all`: it must hold of every thread that is watched. */
  | { kind: "condition"; conditions: readonly WatchedCondition[]; all: boolean }
  /** Kinds of the log, or `turn.*`. */
  | { kind: "event"; kinds: readonly string[] };

export type Action =
  | { kind: Mode; text: string }
  | { kind: "stop" }
  | { kind: "new"; preset: string | null; name: string; text: string }
  /** Of a subscription: it says what became of the threads, with the last `tail` messages of each. */
  | { kind: "wake"; deliver: "queue" | "inbox"; tail: number }
  /** Of a notification: a program and its arguments; the event is its standard input. */
  | { kind: "exec"; exec: readonly string[] };

export interface Guards {
  idle_only: boolean;
  min_interval: number | null;
  /** Not while what the last firing sent has not ended. */
  dedupe: boolean;
  max_fires: number | null;
  until: number | null;
  catch_up: CatchUp;
  jitter: number;
}

export interface Automation {
  id: string;
  face: AutomationFace;
  name: string | null;
  /** The thread that it acts on; null: the person, or none. */
  lane: Ref | null;
  when: When;
  action: Action;
  guards: Guards;
  state: AutomationState;
  reason: string | null;
  /** It looks at the events behind this one. */
  since: number;
  slot_at: number | null;
  due_at: number | null;
  fired: number;
  failures: number;
  last_fired_at: number | null;
  last_receipt: string | null;
  caller: string | null;
  created_at: number;
  updated_at: number;
}

/** `*`: every thread. */
export type WatchedLane = Ref | "*";

export interface Watched {
  automation: string;
  lane: WatchedLane;
  holds: boolean;
  /** The event since which it holds; null while it holds: a wake for all of them counted it. */
  seq: number | null;
}

export interface Firing {
  automation: string;
  slot: string;
  at: number;
  outcome: FiringOutcome;
  reason: string | null;
  slots: number;
  receipt: string | null;
  lane: Ref | null;
  seq: number | null;
}

/** What Codex is asked for beside the loop, with everything that it needs: it may be done by a later daemon. */
export type Work =
  /** `turn_id`: the turn that ran; null: none was known. */
  | { kind: "stop"; turn_id: string | null }
  | { kind: "new"; preset: string | null; name: string; text: string };

/** A firing whose work has not ended. */
export interface OpenFiring extends Firing {
  id: number;
  work: Work;
}

export interface InboxMessage {
  id: string;
  lane: Ref | null;
  sender: string | null;
  text: string;
  state: InboxState;
  created_at: number;
  acked_at: number | null;
}

export interface Outgoing {
  id: number;
  automation: string;
  payload: unknown;
  state: OutboxState;
  attempts: number;
  next_at: number;
  error: string | null;
  created_at: number;
}

export interface AutomationStore {
  add(row: Automation, watched: readonly WatchedLane[]): void;
  find(id: string): Automation | undefined;
  /** The trigger of that name; where all of them have ended, the newest. */
  findByName(name: string): Automation | undefined;
  set(id: string, change: Partial<Omit<Automation, "id" | "face" | "created_at">>): void;
  remove(id: string): void;
  /** Another number after each change of which ones are active. */
  version(): number;
  /** What the active ones wait for, each once. */
  whens(): When[];
  /** Newest first, behind that key. `lane`: the thread that it acts on; undefined: all. */
  list(filter: {
    face: AutomationFace;
    lane?: Ref | null;
    after?: RowKey | null;
    limit: number;
  }): Automation[];
  /** Of those that have not ended. */
  count(): number;
  /** Active ones whose time has come, the earliest first. */
  due(now: number, limit: number): Automation[];
  nextDue(): number | null;
  /** Active ones that look at this thread; null: at what is of no thread. */
  watching(lane: Ref | null): { automation: Automation; watched: Watched }[];
  /** Active ones that act on this thread, or look at it. */
  concerning(lane: Ref): Automation[];
  hasActive(): boolean;
  watched(id: string): Watched[];
  setWatched(id: string, lane: Ref, change: { holds: boolean; seq: number | null }): void;
  /** After a wake for all of them: each still holds, and counts again after it held no more. */
  spendWatched(id: string): void;
  hasFired(id: string, slot: string): boolean;
  fire(firing: Firing, work?: Work): void;
  /** Of each automation the first that is open, the oldest first. */
  opens(limit: number): OpenFiring[];
  countOpen(id: string): number;
  /** False where it is not open any more. */
  settle(id: number, change: Pick<Firing, "outcome" | "reason" | "lane">): boolean;
  /** Newest first. */
  firings(id: string, limit: number): Firing[];
  cursor(): number;
  setCursor(seq: number): void;
  /** Drops firings, and automations that ended, older than that, at most `limit` of each; returns how many. */
  prune(before: number, limit: number): number;
}

export interface InboxStore {
  add(message: InboxMessage): void;
  find(id: string): InboxMessage | undefined;
  ack(id: string, at: number): void;
  /** Oldest first, behind that key. `lane` undefined: all. */
  list(filter: {
    lane?: Ref | null;
    states: readonly InboxState[];
    after?: RowKey | null;
    limit: number;
  }): InboxMessage[];
  /** Drops what was acked before that, at most `limit`; returns how many. */
  prune(before: number, limit: number): number;
}

export interface OutboxStore {
  add(row: Omit<Outgoing, "id">): void;
  /** The first that waits of each automation. */
  firsts(): Outgoing[];
  set(id: number, change: Partial<Pick<Outgoing, "state" | "attempts" | "next_at" | "error">>): void;
  count(automation: string): number;
  /** Drops what was told, or given up, before that, at most `limit`; returns how many. */
  prune(before: number, limit: number): number;
}
