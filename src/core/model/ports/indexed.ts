/** The search index: what it keeps of a thread, how much of a thread it has, and its queries. */
import type { Ref } from "./rows.ts";

export type IndexedType =
  | "user_message"
  | "agent_message"
  | "plan"
  | "command"
  | "file_change"
  | "mcp_tool_call"
  | "error";

/** One message, command or change, as search finds it. */
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
  /** Its place in the order of time; the next page starts from it. */
  id: number;
  /** The text around the hit, on one line; the hit is from `start` to `end`. */
  snippet: string;
  start: number;
  end: number;
}

export interface ItemQuery {
  /** FTS5 syntax, made by core/search/query.ts from a caller's words; it is never a caller's own text. */
  match: string;
  lanes: readonly Ref[];
  /** Epoch ms, both inclusive. */
  since: number | null;
  until: number | null;
  order: "newest" | "oldest";
  /** The id of the last hit of the page before. */
  after: number | null;
  limit: number;
}

/** A part of the history that was not read: from Codex's cursor down to a turn that was read, or to the beginning. */
export interface Gap {
  cursor: string | null;
  until: string | null;
}

export interface Sync {
  lane: Ref;
  /** The newest turn that was read after its end; null: there is none. */
  top_turn: string | null;
  /** Newest first. */
  gaps: Gap[];
  turns: number;
  items: number;
  bytes: number;
  synced_at: number | null;
  error: string | null;
}

/** The fields of a lane that search filters by. */
export interface SearchedLane {
  ref: Ref;
  thread_id: string | null;
  title: string;
  cwd: string;
  created_at: number;
  updated_at: number;
  isWhole: boolean;
}
