/** Tokens that models used, and the windows of an account. */
import type { Ref } from "./rows.ts";

/** `input` includes `cached`, `output` includes `reasoning`. */
export interface Tokens {
  input: number;
  cached: number;
  output: number;
  reasoning: number;
}

/** As Codex reports it. `total` is `input` and `output`; after a context overflow it is not (facts C1.2). */
export interface Spent extends Tokens {
  total: number;
}

export interface UsageRow extends Tokens {
  lane: Ref;
  /** In the daemon's time zone: YYYY-MM-DD. */
  day: string;
  model: string;
  /** More was used, and no total of Codex tells how much. */
  incomplete: boolean;
}

/** The total that Codex last reported for a thread, which may be a sub-agent's. */
export interface UsageTotal extends Spent {
  thread_id: string;
  /** The lane that is charged. */
  lane: Ref;
  at: number;
}

export type WindowName = "primary" | "secondary";

export interface UsageWindow {
  provider: string;
  /** Codex's id of the limit; "": it gave none. */
  limit_id: string;
  name: WindowName;
  used_percent: number;
  window_minutes: number | null;
  /** Epoch ms. */
  resets_at: number | null;
  as_of: number;
}

export type UsageKey = "lane" | "day" | "model";

/** A sum over rows: the field that it is grouped by has a value, the others are null. */
export interface UsageSum extends Tokens {
  lane: Ref | null;
  day: string | null;
  model: string | null;
  incomplete: boolean;
}

export interface UsageStore {
  /** Adds to the row of its lane, day and model. */
  add(row: UsageRow): void;
  /** Input and output of all lanes on that day. */
  tokensOfDay(day: string): number;
  /** Input and output of the lane, over all days that are kept. */
  tokensOfLane(lane: Ref): number;
  /** From that day on; null: all that are kept. Days newest first, else the largest first. */
  sums(query: { by: UsageKey; lane: Ref | null; since: string | null; limit: number }): UsageSum[];
  total(threadId: string): UsageTotal | undefined;
  setTotal(total: UsageTotal): void;
  windows(): UsageWindow[];
  setWindow(window: UsageWindow): void;
  /** Deletes up to `limit` rows of each kind that are older than `before` (epoch ms). Returns how many. */
  prune(before: number, limit: number): number;
}
