/**
 * Full-text search: first the local index, then Codex's own search for what is not in it. When Codex is down or slow,
 * the matches of the index are returned, and the answer tells what is missing.
 */
import { iso } from "../../base/clock.ts";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { quoted } from "../../base/privacy.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Hit, SearchedLane } from "../model/ports/indexed.ts";
import { ranked } from "./bm25.ts";
import { searchCodex } from "./codexsearch.ts";
import { queryOf } from "./query.ts";
import { indexQuery, type Match, passesFilter, type ResolvedSearch, type Search } from "./types.ts";

export interface Found {
  matches: Match[];
  next_cursor: string | null;
  /** Something was not searched; `note` tells what. */
  truncated: boolean;
  note: string | null;
}

/** Where a page ended: in the index, or in Codex's own search. */
export type SearchCursor = { in: "index"; after: number | null } | { in: "codex"; cursor: string | null };

const unsplit =
  "what is older than the last upgrade is still being indexed for Chinese, Japanese, Korean, Thai and emoji: search again in a minute";

export async function search(deps: CoreDeps, search: Search): Promise<Found> {
  const found = await searchAll(deps, search);
  if (deps.store.items.isSplit()) return found;
  return { ...found, truncated: true, note: [unsplit, found.note].filter((note) => note).join("; ") };
}

async function searchAll(deps: CoreDeps, search: Search): Promise<Found> {
  const resolved = { ...search, query: queryOf(search.text), below: directoryOf(deps, search) };
  const start =
    search.cursor === null ? ({ in: "index", after: null } as const) : decodeCursor(search.cursor);
  const matches: Match[] = [];
  if (start.in === "index") {
    const page = searchIndex(deps, resolved, start.after);
    if (page.next !== null) {
      return {
        matches: page.matches,
        next_cursor: cursorOf({ in: "index", after: page.next }),
        truncated: false,
        note: null,
      };
    }
    matches.push(...page.matches);
    if (matches.length === resolved.limit) {
      return { matches, next_cursor: cursorOf({ in: "codex", cursor: null }), truncated: false, note: null };
    }
  }
  const left = resolved.limit - matches.length;
  const rest = await searchCodex(deps, resolved, start.in === "codex" ? start.cursor : null, left);
  return {
    matches: [...matches, ...rest.matches],
    next_cursor: rest.next === null ? null : cursorOf({ in: "codex", cursor: rest.next }),
    truncated: rest.note !== null,
    note: rest.note,
  };
}

function directoryOf({ files }: CoreDeps, { repo, dir }: Search): string | null {
  if (repo !== null && dir !== null)
    fail("usage", "--repo and --dir exclude each other", { hint: "give one" });
  if (repo === null) return dir;
  return (
    files.repositoryOf(repo) ??
    fail("usage", `${repo} is in no git repository`, { hint: `dispatch search TEXT --dir ${quoted(repo)}` })
  );
}

function searchIndex(
  deps: CoreDeps,
  resolved: ResolvedSearch,
  after: number | null,
): { matches: Match[]; next: number | null } {
  const { items } = deps.store;
  const lanes = new Map(matchingLanes(deps, resolved).map((lane) => [lane.ref, lane]));
  const query = indexQuery(resolved, [...lanes.keys()]);
  const isRanked = resolved.sort === "relevance";
  const hits = isRanked
    ? items.hits(
        query.match,
        rankedHits(deps, resolved, query).slice(after ?? 0, (after ?? 0) + resolved.limit + 1),
      )
    : items.search({ ...query, after, limit: resolved.limit + 1 });
  const page = hits.slice(0, resolved.limit);
  const next = isRanked ? (after ?? 0) + page.length : (page.at(-1)?.id ?? null);
  return {
    matches: page.map((hit) => matchOf(lanes.get(hit.lane)!, hit)),
    next: hits.length > resolved.limit ? next : null,
  };
}

/** The ids of the newest hits, the best first. The cursor of a page of them is a count. */
function rankedHits(
  { store }: CoreDeps,
  resolved: ResolvedSearch,
  query: ReturnType<typeof indexQuery>,
): number[] {
  const texts = store.items.texts({ ...query, after: null, limit: limits.search.rankedMax });
  return ranked(resolved.query.terms, texts);
}

/** The lanes that pass the filter of a search. */
function matchingLanes({ store }: CoreDeps, resolved: ResolvedSearch): SearchedLane[] {
  if (resolved.scope === "unmanaged") return [];
  const { thread } = resolved;
  if (thread !== null && "threadId" in thread) return [];
  return store.items
    .lanes(resolved.archived)
    .filter((lane) => (thread === null || lane.ref === thread.ref) && passesFilter(resolved, lane));
}

function matchOf({ ref, thread_id, title, cwd }: SearchedLane, hit: Hit): Match {
  const { type, snippet, start, end, turn_id, item_id } = hit;
  const found = { type, snippet, hit: { start, end }, turn_id, item_id };
  return { ref, id: thread_id, title, cwd, ...found, at: iso(hit.at), source: "index" };
}

function cursorOf(start: SearchCursor): string {
  return Buffer.from(JSON.stringify(start)).toString("base64url");
}

function decodeCursor(cursor: string): SearchCursor {
  try {
    const start = JSON.parse(Buffer.from(cursor, "base64url").toString()) as Partial<
      Record<string, unknown>
    > | null;
    const { after, cursor: codexCursor } = start ?? {};
    if (start?.["in"] === "index" && Number.isSafeInteger(after))
      return { in: "index", after: after as number };
    if (start?.["in"] === "codex" && (codexCursor === null || typeof codexCursor === "string"))
      return { in: "codex", cursor: codexCursor };
  } catch {
    // Reported below, like any other wrong cursor.
  }
  return fail("usage", "that is not a cursor of search", { hint: "leave --cursor out to start again" });
}
