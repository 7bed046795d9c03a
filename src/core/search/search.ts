/**
 * Full text: the local index first, then Codex's own search for what is not in it. Codex may be down or slow; what the
 * index knows is answered all the same, and the answer says what is missing.
 */
import { iso } from "../../base/clock.ts";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { quoted } from "../../base/privacy.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Hit, SearchedLane } from "../model/ports/indexed.ts";
import { ranked } from "./bm25.ts";
import { elsewhere } from "./codexsearch.ts";
import { queryOf } from "./query.ts";
import { type Asked, indexQuery, letsPass, type Match, type Search } from "./types.ts";

export interface Found {
  matches: Match[];
  next_cursor: string | null;
  /** Something that should have been searched was not; `note` says what. */
  truncated: boolean;
  note: string | null;
}

/** Where a page ended: in the index, or in Codex's own search. */
export type Stand = { in: "index"; after: number | null } | { in: "codex"; cursor: string | null };

const unsplit =
  "what is older than the last upgrade is still being indexed for Chinese, Japanese, Korean, Thai and emoji: search again in a minute";

export async function search(deps: CoreDeps, search: Search): Promise<Found> {
  const found = await everywhere(deps, search);
  if (deps.store.items.isSplit()) return found;
  return { ...found, truncated: true, note: [unsplit, found.note].filter((note) => note).join("; ") };
}

async function everywhere(deps: CoreDeps, search: Search): Promise<Found> {
  const asked = { ...search, query: queryOf(search.text), below: placeOf(deps, search) };
  const stand = search.cursor === null ? ({ in: "index", after: null } as const) : standOf(search.cursor);
  const matches: Match[] = [];
  if (stand.in === "index") {
    const page = inIndex(deps, asked, stand.after);
    if (page.next !== null) {
      return {
        matches: page.matches,
        next_cursor: cursorOf({ in: "index", after: page.next }),
        truncated: false,
        note: null,
      };
    }
    matches.push(...page.matches);
    if (matches.length === asked.limit) {
      return { matches, next_cursor: cursorOf({ in: "codex", cursor: null }), truncated: false, note: null };
    }
  }
  const left = asked.limit - matches.length;
  const rest = await elsewhere(deps, asked, stand.in === "codex" ? stand.cursor : null, left);
  return {
    matches: [...matches, ...rest.matches],
    next_cursor: rest.next === null ? null : cursorOf({ in: "codex", cursor: rest.next }),
    truncated: rest.note !== null,
    note: rest.note,
  };
}

function placeOf({ files }: CoreDeps, { repo, dir }: Search): string | null {
  if (repo !== null && dir !== null)
    fail("usage", "--repo and --dir exclude each other", { hint: "give one" });
  if (repo === null) return dir;
  return (
    files.repositoryOf(repo) ??
    fail("usage", `${repo} is in no git repository`, { hint: `dispatch search TEXT --dir ${quoted(repo)}` })
  );
}

function inIndex(
  deps: CoreDeps,
  asked: Asked,
  after: number | null,
): { matches: Match[]; next: number | null } {
  const { items } = deps.store;
  const lanes = new Map(chosen(deps, asked).map((lane) => [lane.ref, lane]));
  const query = indexQuery(asked, [...lanes.keys()]);
  const isRanked = asked.sort === "relevance";
  const hits = isRanked
    ? items.hits(query.match, bestOf(deps, asked, query).slice(after ?? 0, (after ?? 0) + asked.limit + 1))
    : items.search({ ...query, after, limit: asked.limit + 1 });
  const page = hits.slice(0, asked.limit);
  const next = isRanked ? (after ?? 0) + page.length : (page.at(-1)?.id ?? null);
  return {
    matches: page.map((hit) => matchOf(lanes.get(hit.lane)!, hit)),
    next: hits.length > asked.limit ? next : null,
  };
}

/** The newest hits, best first. Where a page of them ended is a count. */
function bestOf({ store }: CoreDeps, asked: Asked, query: ReturnType<typeof indexQuery>): number[] {
  const texts = store.items.texts({ ...query, after: null, limit: limits.search.rankedMax });
  return ranked(asked.query.terms, texts);
}

/** The lanes that a search lets pass. */
function chosen({ store }: CoreDeps, asked: Asked): SearchedLane[] {
  if (asked.scope === "unmanaged") return [];
  const { thread } = asked;
  if (thread !== null && "threadId" in thread) return [];
  return store.items
    .lanes(asked.archived)
    .filter((lane) => (thread === null || lane.ref === thread.ref) && letsPass(asked, lane));
}

function matchOf({ ref, thread_id, title, cwd }: SearchedLane, hit: Hit): Match {
  const { type, snippet, start, end, turn_id, item_id } = hit;
  const found = { type, snippet, hit: { start, end }, turn_id, item_id };
  return { ref, id: thread_id, title, cwd, ...found, at: iso(hit.at), source: "index" };
}

function cursorOf(stand: Stand): string {
  return Buffer.from(JSON.stringify(stand)).toString("base64url");
}

function standOf(cursor: string): Stand {
  try {
    const stand = JSON.parse(Buffer.from(cursor, "base64url").toString()) as Partial<
      Record<string, unknown>
    > | null;
    const { after, cursor: place } = stand ?? {};
    if (stand?.["in"] === "index" && Number.isSafeInteger(after))
      return { in: "index", after: after as number };
    if (stand?.["in"] === "codex" && (place === null || typeof place === "string"))
      return { in: "codex", cursor: place };
  } catch {
    // Said below, with the other ways a cursor can be wrong.
  }
  return fail("usage", "that is not a cursor of search", { hint: "leave --cursor out to start again" });
}
