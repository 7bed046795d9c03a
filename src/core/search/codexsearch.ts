/**
 * Codex's own search, for threads that are not completely in the index: one match for each thread, or all matches of
 * one thread.
 */
import { iso } from "../../base/clock.ts";
import { errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Occurrence } from "../model/ports/agent.ts";
import type { Lane } from "../model/ports/rows.ts";
import type { ThreadFacts } from "../model/ports/thread.ts";
import { refusalOf } from "../model/refusal.ts";
import { indexQuery, isWithin, type Match, passesFilter, type ResolvedSearch } from "./types.ts";

export interface CodexMatches {
  matches: Match[];
  /** Codex's own cursor. */
  next: string | null;
  /** What was not searched, and why. */
  note: string | null;
}

const nothing: CodexMatches = { matches: [], next: null, note: null };

/** When Codex is down or slow, or refuses, `note` reports it. Throws `not_found` for an id that no thread has. */
export async function searchCodex(
  deps: CoreDeps,
  search: ResolvedSearch,
  cursor: string | null,
  limit: number,
): Promise<CodexMatches> {
  if (!mayHaveMore(deps, search)) return nothing;
  try {
    await deps.agent.ready(limits.search.codexWaitMs);
    return search.thread === null
      ? await searchAllThreads(deps, search, cursor, limit)
      : await searchThread(deps, search, search.thread, cursor, limit);
  } catch (thrown) {
    if (refusalOf(thrown) === "no_rollout" && search.thread !== null && "threadId" in search.thread)
      fail("not_found", `Codex has no thread ${search.thread.threadId}`, {
        hint: "dispatch list --unmanaged",
      });
    return { ...nothing, note: `only the local index was searched: ${errorMessage(thrown)}` };
  }
}

function mayHaveMore({ store }: CoreDeps, { thread, scope, archived }: ResolvedSearch): boolean {
  if (thread !== null && "threadId" in thread) return scope !== "managed";
  const lanes = scope === "unmanaged" ? [] : store.items.lanes(archived);
  if (thread !== null) return lanes.some((lane) => lane.ref === thread.ref && !lane.isWhole);
  return scope !== "managed" || lanes.some((lane) => !lane.isWhole && lane.thread_id !== null);
}

async function searchAllThreads(
  deps: CoreDeps,
  search: ResolvedSearch,
  from: string | null,
  limit: number,
): Promise<CodexMatches> {
  const matches: Match[] = [];
  let cursor = from;
  for (let page = 0; page < limits.search.codexPagesMax; page++) {
    const { found, next_cursor } = await deps.agent.searchThreads({
      text: search.query.literal,
      cursor,
      // Each thread gives at most one match, so nothing of a page is left for the next page.
      limit: Math.min(limit - matches.length, limits.wire.pageMax),
      archived: search.archived,
      by: search.dateField === "created_at" ? "created_at" : "updated_at",
      ascending: search.ascending,
    });
    const made = await Promise.all(
      found.map(({ thread, snippet }) => matchIn(deps, search, thread, snippet)),
    );
    matches.push(...made.filter((match) => match !== undefined));
    cursor = next_cursor;
    if (cursor === null || matches.length >= limit) return { matches, next: cursor, note: null };
  }
  return { matches, next: cursor, note: "Codex's search goes on: its next threads are behind next_cursor" };
}

async function matchIn(
  deps: CoreDeps,
  search: ResolvedSearch,
  thread: ThreadFacts,
  snippet: string,
): Promise<Match | undefined> {
  const lane = deps.store.lanes.findByThread(thread.id);
  if (!mayMatch(search, thread) || isCovered(deps, search, lane)) return undefined;
  const { found } = await deps.agent
    .searchMessages(thread.id, { text: search.query.literal, cursor: null, limit: limits.wire.pageMax })
    .catch((thrown: unknown) => {
      // Codex gives no places for a thread with the old kind of history; that it contains the text is known anyway.
      if (refusalOf(thrown) === undefined) throw thrown;
      return { found: [] };
    });
  const fresh = found.filter((hit) => isFresh(deps, search, lane, hit));
  const first = search.ascending ? fresh[0] : fresh.at(-1);
  if (first) return matchOf(search, thread, lane, first);
  // All its messages with the text are in the index, so Codex's match is one of them.
  if (found.length > 0) return undefined;
  const none = { turn_id: null, item_id: null, hit: null, type: null };
  return {
    ...ofThread(thread, lane),
    ...none,
    ...oneLine({ snippet }),
    at: iso(likelyTime(search, thread)),
    source: "codex",
  };
}

/** All matches in one thread. */
async function searchThread(
  deps: CoreDeps,
  search: ResolvedSearch,
  target: NonNullable<ResolvedSearch["thread"]>,
  cursor: string | null,
  limit: number,
): Promise<CodexMatches> {
  const lane = "ref" in target ? deps.store.lanes.find(target.ref) : undefined;
  const threadId = "threadId" in target ? target.threadId : (lane?.thread_id ?? null);
  if (threadId === null) return nothing;
  const thread = await deps.agent.readThread(threadId);
  const { found, next_cursor } = await deps.agent.searchMessages(threadId, {
    text: search.query.literal,
    cursor,
    limit,
  });
  if (!mayMatch(search, thread)) return nothing;
  const fresh = found.filter((hit) => isFresh(deps, search, lane, hit));
  return { matches: fresh.map((hit) => matchOf(search, thread, lane, hit)), next: next_cursor, note: null };
}

/** The time of a hit is not known: it is between the creation and the last update of its thread. */
function mayMatch(search: ResolvedSearch, thread: ThreadFacts): boolean {
  if (!passesFilter(search, thread)) return false;
  if (search.dateField !== "at") return true;
  return isWithin(thread.updated_at, search.since, null) && isWithin(thread.created_at, null, search.until);
}

/** The time to show for a hit without a time; never a time that the search excludes. */
function likelyTime({ dateField, until }: ResolvedSearch, thread: ThreadFacts): number {
  return dateField === "at" && !isWithin(thread.updated_at, null, until)
    ? thread.created_at
    : thread.updated_at;
}

/** The index has the whole thread, or has already given a match in it. */
function isCovered({ store }: CoreDeps, search: ResolvedSearch, lane: Lane | undefined): boolean {
  if (search.scope === "unmanaged") return lane !== undefined;
  if (lane === undefined) return search.scope === "managed";
  const sync = store.items.sync(lane.ref);
  if (sync && sync.synced_at !== null && sync.gaps.length === 0) return true;
  return store.items.search({ ...indexQuery(search, [lane.ref]), after: null, limit: 1 }).length > 0;
}

function isFresh(
  { store }: CoreDeps,
  search: ResolvedSearch,
  lane: Lane | undefined,
  hit: Occurrence,
): boolean {
  if (lane && store.items.has(lane.ref, hit.turn_id, hit.item_id)) return false;
  if (search.dateField !== "at") return true;
  const at = timeOf(hit.turn_id);
  return at === null || isWithin(at, search.since, search.until);
}

function matchOf(
  search: ResolvedSearch,
  thread: ThreadFacts,
  lane: Lane | undefined,
  hit: Occurrence,
): Match {
  const { turn_id, item_id } = hit;
  const at = iso(timeOf(turn_id) ?? likelyTime(search, thread));
  return { ...ofThread(thread, lane), type: null, turn_id, item_id, ...oneLine(hit), at, source: "codex" };
}

function ofThread(thread: ThreadFacts, lane: Lane | undefined): Pick<Match, "ref" | "id" | "title" | "cwd"> {
  const title =
    lane?.title ?? thread.name ?? thread.preview.slice(0, limits.input.titleCharsMax).toWellFormed();
  return { ref: lane?.ref ?? null, id: thread.id, title, cwd: thread.cwd };
}

/** Replaces each run of white space by one blank, and moves the position of the hit accordingly. */
function oneLine(of: { snippet: string; start?: number; end?: number }): Pick<Match, "snippet" | "hit"> {
  const flat = (text: string) => text.replace(/\s+/g, " ");
  const { snippet, start, end } = of;
  const line = flat(snippet).toWellFormed();
  if (start === undefined || end === undefined || end <= start) return { snippet: line, hit: null };
  const from = flat(snippet.slice(0, start)).length;
  return { snippet: line, hit: { start: from, end: from + flat(snippet.slice(start, end)).length } };
}

/** Codex's turn ids are UUIDv7, which begin with the time. */
function timeOf(turnId: string): number | null {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(turnId)
    ? Number.parseInt(turnId.slice(0, 8) + turnId.slice(9, 13), 16)
    : null;
}
