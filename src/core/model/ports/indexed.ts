/** The search index: what it keeps of a thread, how much of one it has, and what is asked of it. */
import type { Ref } from "./rows.ts";

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
  /** In FTS5's own syntax: made by core/search/query.ts from what a caller typed, never typed by one. */
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
