/**
 * Full-text search: first the local index, then Codex's own search for what is not in it. When Codex is down or slow,
 * the matches of the index are returned, and the answer tells what is missing.
 */
import { iso } from "../../base/clock.ts";
import { pageCursor, readCursor } from "../../base/cursor.ts";
import { sha256 } from "../../base/digest.ts";
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

/**
 * Where a page ended: at a hit of the index, or at a place of Codex's own search. `newest`: the newest hit when the
 * ranking began; what comes later would change the order of the pages.
 */
type IndexKey = readonly [where: "index", after: number, newest: number];
type SearchKey = IndexKey | readonly [where: "codex", cursor: string | null];

const unsplit =
  "what is older than the last upgrade is still being indexed for Chinese, Japanese, Korean, Thai and emoji: search again in a minute";

export async function search(deps: CoreDeps, search: Search): Promise<Found> {
  const found = await searchAll(deps, search);
  if (deps.store.items.isSplit()) return found;
  return { ...found, truncated: true, note: [unsplit, found.note].filter((note) => note).join("; ") };
}

async function searchAll(deps: CoreDeps, search: Search): Promise<Found> {
  const resolved = { ...search, query: queryOf(search.text), below: directoryOf(deps, search) };
  const list = listOf(search);
  const start = search.cursor === null ? null : readCursor(search.cursor, list, isSearchKey);
  const cursorOf = (key: SearchKey) => pageCursor(list, key);
  const matches: Match[] = [];
  if (start?.[0] !== "codex") {
    const page = searchIndex(deps, resolved, start);
    const whole = { matches: page.matches, truncated: false, note: null };
    if (page.next !== null) return { ...whole, next_cursor: cursorOf(page.next) };
    matches.push(...page.matches);
    if (matches.length === resolved.limit) return { ...whole, next_cursor: cursorOf(["codex", null]) };
  }
  const left = resolved.limit - matches.length;
  const rest = await searchCodex(deps, resolved, start?.[0] === "codex" ? start[1] : null, left);
  return {
    matches: [...matches, ...rest.matches],
    next_cursor: rest.next === null ? null : cursorOf(["codex", rest.next]),
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
  start: IndexKey | null,
): { matches: Match[]; next: IndexKey | null } {
  const { items } = deps.store;
  const lanes = new Map(matchingLanes(deps, resolved).map((lane) => [lane.ref, lane]));
  const query = indexQuery(resolved, [...lanes.keys()]);
  const [, after, newest] = start ?? ["index", null, null];
  const isRanked = resolved.sort === "relevance";
  const best = isRanked ? rankedHits(deps, resolved, query, newest) : null;
  const hits = best
    ? items.hits(query.match, idsBehind(best.ids, after).slice(0, resolved.limit + 1))
    : items.search({ ...query, after, limit: resolved.limit + 1 });
  const page = hits.slice(0, resolved.limit);
  const last = hits.length > resolved.limit ? page.at(-1) : undefined;
  return {
    matches: page.map((hit) => matchOf(lanes.get(hit.lane)!, hit)),
    next: last ? ["index", last.id, best?.newest ?? last.id] : null,
  };
}

/** The ids of the newest hits, the best first. */
function rankedHits(
  { store }: CoreDeps,
  resolved: ResolvedSearch,
  query: ReturnType<typeof indexQuery>,
  newest: number | null,
): { ids: number[]; newest: number } {
  const after = newest === null ? null : newest + 1;
  const texts = store.items.texts({ ...query, after, limit: limits.search.rankedMax });
  return { ids: ranked(resolved.query.terms, texts), newest: newest ?? texts[0]?.id ?? 0 };
}

function idsBehind(ids: number[], after: number | null): number[] {
  if (after === null) return ids;
  const at = ids.indexOf(after);
  if (at < 0)
    fail("usage", "the place of that cursor is not in the index any more", {
      hint: "leave --cursor out to start again",
    });
  return ids.slice(at + 1);
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

/** Without the times, which `--since 2h` moves, and without the limit. */
function listOf({ since: _since, until: _until, limit: _limit, cursor: _cursor, ...search }: Search): string {
  return `search ${sha256(JSON.stringify(search)).slice(0, 16)}`;
}

function isSearchKey(key: readonly unknown[]): key is SearchKey {
  const [where, ...place] = key;
  if (where === "index") return place.length === 2 && place.every(Number.isSafeInteger);
  return where === "codex" && place.length === 1 && (place[0] === null || typeof place[0] === "string");
}
