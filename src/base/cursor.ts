/** The cursors of pages. Each has the key of a row and the name of its list, so that it goes on in no other list. */
import { fail } from "./error.ts";

/** The order key of a row in the registry: a time or a position, then the id. */
export type RowKey = readonly [at: number, id: string];

/** Before the first key, and after the last one. */
export const lowestKey: RowKey = [Number.MIN_SAFE_INTEGER, ""];
export const highestKey: RowKey = [Number.MAX_SAFE_INTEGER, ""];

export interface Paging {
  cursor: string | null;
  limit: number;
}

/**
 * A page of rows. `read` gets the key of the last row before the page (null: it is the first page) and how many rows to
 * read. `list` names the list with its filter.
 */
export function pageOf<T>(
  list: string,
  { cursor, limit }: Paging,
  read: (after: RowKey | null, limit: number) => readonly T[],
  keyOf: (row: T) => RowKey,
): { rows: T[]; truncated: boolean; next_cursor: string | null } {
  const found = read(cursor === null ? null : readCursor(cursor, list, isRowKey), limit + 1);
  const rows = found.slice(0, limit);
  const last = found.length > limit ? rows.at(-1) : undefined;
  const next_cursor = last === undefined ? null : pageCursor(list, keyOf(last));
  return { rows, truncated: next_cursor !== null, next_cursor };
}

export function pageCursor(list: string, key: readonly unknown[]): string {
  return Buffer.from(JSON.stringify([list, ...key])).toString("base64url");
}

/** The key in a cursor of this list. Throws `usage` for any other text. */
export function readCursor<K extends readonly unknown[]>(
  cursor: string,
  list: string,
  isKey: (key: readonly unknown[]) => key is K,
): K {
  const [of, ...key] = parsed(cursor);
  if (of !== list || !isKey(key))
    fail("usage", `"${cursor}" is not a cursor of this list`, { hint: "leave --cursor out to start again" });
  return key;
}

function isRowKey(key: readonly unknown[]): key is RowKey {
  return key.length === 2 && Number.isSafeInteger(key[0]) && typeof key[1] === "string";
}

function parsed(cursor: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
