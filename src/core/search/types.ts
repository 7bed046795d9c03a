/** The types of a search and its matches, and the filter by directory and date. */

import type { IndexedType, ItemQuery } from "../model/ports/indexed.ts";
import type { Ref } from "../model/ports/rows.ts";
import type { ThreadTarget } from "../model/target.ts";
import type { Query } from "./query.ts";

export interface Search {
  text: string;
  scope: "managed" | "unmanaged" | "all";
  /** Null: any. */
  thread: ThreadTarget | null;
  repo: string | null;
  dir: string | null;
  archived: boolean;
  /** Epoch ms, both inclusive. */
  since: number | null;
  until: number | null;
  dateField: "at" | "created_at" | "updated_at";
  sort: "date" | "relevance";
  ascending: boolean;
  limit: number;
  cursor: string | null;
}

export interface Match {
  ref: string | null;
  id: string | null;
  title: string;
  cwd: string;
  type: IndexedType | null;
  snippet: string;
  /** The hit in the snippet, in UTF-16 units; null: not known. */
  hit: { start: number; end: number } | null;
  turn_id: string | null;
  item_id: string | null;
  at: string;
  source: "index" | "codex";
}

/** A search with its parsed query and its directory. */
export interface ResolvedSearch extends Search {
  query: Query;
  /** The thread's directory must be at or below this one; null: any. */
  below: string | null;
}

export function indexQuery(
  { query, sort, ascending, dateField, since, until }: ResolvedSearch,
  lanes: Ref[],
): Omit<ItemQuery, "after" | "limit"> {
  const byItem = dateField === "at";
  const order = ascending && sort === "date" ? "oldest" : "newest";
  return { match: query.match, lanes, since: byItem ? since : null, until: byItem ? until : null, order };
}

/** Filters by directory, and by the thread's own dates. */
export function passesFilter(
  { below, dateField, since, until }: ResolvedSearch,
  thread: { cwd: string; created_at: number; updated_at: number },
): boolean {
  if (below !== null && !isBelow(thread.cwd, below)) return false;
  if (dateField === "at") return true;
  return isWithin(thread[dateField], since, until);
}

export function isWithin(at: number, since: number | null, until: number | null): boolean {
  return (since === null || at >= since) && (until === null || at <= until);
}

/** A directory is below itself; a directory whose name only begins alike is not. */
function isBelow(directory: string, root: string): boolean {
  const ended = (path: string) => (path.endsWith("/") ? path : `${path}/`);
  return ended(directory).startsWith(ended(root));
}
