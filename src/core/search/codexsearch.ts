/** What Codex finds in threads that the index does not hold, or not whole. One match a thread, or all of one thread. */
import { iso } from "../../base/clock.ts";
import { errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Occurrence } from "../model/ports/agent.ts";
import type { Lane } from "../model/ports/rows.ts";
import type { ThreadFacts } from "../model/ports/thread.ts";
import { refusalOf } from "../model/refusal.ts";
import { type Asked, indexQuery, isWithin, letsPass, type Match } from "./types.ts";

export interface Elsewhere {
  matches: Match[];
  /** Codex's own cursor. */
  next: string | null;
  /** What was not searched, and why. */
  note: string | null;
}

const nothing: Elsewhere = { matches: [], next: null, note: null };

/** Never throws for a Codex that is down, slow or unwilling: the note says so. Throws `not_found` for an id that no thread has. */
export async function elsewhere(
  deps: CoreDeps,
  asked: Asked,
  cursor: string | null,
  limit: number,
): Promise<Elsewhere> {
  if (!mayHoldMore(deps, asked)) return nothing;
  try {
    await deps.agent.ready(limits.search.codexWaitMs);
    return asked.thread === null
      ? await overThreads(deps, asked, cursor, limit)
      : await within(deps, asked, asked.thread, cursor, limit);
  } catch (thrown) {
    if (refusalOf(thrown) === "no_rollout" && asked.thread !== null && "threadId" in asked.thread)
      fail("not_found", `Codex has no thread ${asked.thread.threadId}`, {
        hint: "dispatch list --unmanaged",
      });
    return { ...nothing, note: `only the local index was searched: ${errorMessage(thrown)}` };
  }
}

function mayHoldMore({ store }: CoreDeps, { thread, scope, archived }: Asked): boolean {
  if (thread !== null && "threadId" in thread) return scope !== "managed";
  const lanes = scope === "unmanaged" ? [] : store.items.lanes(archived);
  if (thread !== null) return lanes.some((lane) => lane.ref === thread.ref && !lane.isWhole);
  return scope !== "managed" || lanes.some((lane) => !lane.isWhole && lane.thread_id !== null);
}

async function overThreads(
  deps: CoreDeps,
  asked: Asked,
  from: string | null,
  limit: number,
): Promise<Elsewhere> {
  const matches: Match[] = [];
  let cursor = from;
  for (let page = 0; page < limits.search.codexPagesMax; page++) {
    const { found, next_cursor } = await deps.agent.searchThreads({
      text: asked.query.literal,
      cursor,
      // Each thread gives one match at most: nothing of a page is left over for the next.
      limit: Math.min(limit - matches.length, limits.wire.pageMax),
      archived: asked.archived,
      by: asked.dateField === "created_at" ? "created_at" : "updated_at",
      ascending: asked.ascending,
    });
    const made = await Promise.all(found.map((one) => matchIn(deps, asked, one.thread, one.snippet)));
    matches.push(...made.filter((match) => match !== undefined));
    cursor = next_cursor;
    if (cursor === null || matches.length >= limit) return { matches, next: cursor, note: null };
  }
  return { matches, next: cursor, note: "Codex's search goes on: its next threads are behind next_cursor" };
}

async function matchIn(
  deps: CoreDeps,
  asked: Asked,
  thread: ThreadFacts,
  snippet: string,
): Promise<Match | undefined> {
  const lane = deps.store.lanes.findByThread(thread.id);
  if (!mayMatch(asked, thread) || isAnswered(deps, asked, lane)) return undefined;
  const { found } = await deps.agent
    .searchMessages(thread.id, { text: asked.query.literal, cursor: null, limit: limits.wire.pageMax })
    .catch((thrown: unknown) => {
      // A thread of the old kind of history has no places to be told; that it holds the text is known all the same.
      if (refusalOf(thrown) === undefined) throw thrown;
      return { found: [] };
    });
  const fresh = found.filter((one) => isFresh(deps, asked, lane, one));
  const first = asked.ascending ? fresh[0] : fresh.at(-1);
  if (first) return matchOf(asked, thread, lane, first);
  // All its messages with the text are in the index: what Codex means is one of them.
  if (found.length > 0) return undefined;
  const none = { turn_id: null, item_id: null, hit: null, type: null };
  return {
    ...ofThread(thread, lane),
    ...none,
    ...oneLine({ snippet }),
    at: iso(likelyTime(asked, thread)),
    source: "codex",
  };
}

/** Every place in one thread. */
async function within(
  deps: CoreDeps,
  asked: Asked,
  place: NonNullable<Asked["thread"]>,
  cursor: string | null,
  limit: number,
): Promise<Elsewhere> {
  const lane = "ref" in place ? deps.store.lanes.find(place.ref) : undefined;
  const threadId = "threadId" in place ? place.threadId : (lane?.thread_id ?? null);
  if (threadId === null) return nothing;
  const thread = await deps.agent.readThread(threadId);
  const { found, next_cursor } = await deps.agent.searchMessages(threadId, {
    text: asked.query.literal,
    cursor,
    limit,
  });
  if (!mayMatch(asked, thread)) return nothing;
  const fresh = found.filter((one) => isFresh(deps, asked, lane, one));
  return { matches: fresh.map((one) => matchOf(asked, thread, lane, one)), next: next_cursor, note: null };
}

/** Without the time of a hit, it was between the first and the last sign of life of its thread. */
function mayMatch(asked: Asked, thread: ThreadFacts): boolean {
  if (!letsPass(asked, thread)) return false;
  if (asked.dateField !== "at") return true;
  return isWithin(thread.updated_at, asked.since, null) && isWithin(thread.created_at, null, asked.until);
}

/** Of a hit without a time: never one that the search excludes. */
function likelyTime({ dateField, until }: Asked, thread: ThreadFacts): number {
  return dateField === "at" && !isWithin(thread.updated_at, null, until)
    ? thread.created_at
    : thread.updated_at;
}

/** The index holds the whole thread, or has shown a place in it already. */
function isAnswered({ store }: CoreDeps, asked: Asked, lane: Lane | undefined): boolean {
  if (asked.scope === "unmanaged") return lane !== undefined;
  if (lane === undefined) return asked.scope === "managed";
  const sync = store.items.sync(lane.ref);
  if (sync && sync.synced_at !== null && sync.gaps.length === 0) return true;
  return store.items.search({ ...indexQuery(asked, [lane.ref]), after: null, limit: 1 }).length > 0;
}

function isFresh({ store }: CoreDeps, asked: Asked, lane: Lane | undefined, one: Occurrence): boolean {
  if (lane && store.items.has(lane.ref, one.turn_id, one.item_id)) return false;
  if (asked.dateField !== "at") return true;
  const at = timeOf(one.turn_id);
  return at === null || isWithin(at, asked.since, asked.until);
}

function matchOf(asked: Asked, thread: ThreadFacts, lane: Lane | undefined, one: Occurrence): Match {
  const { turn_id, item_id } = one;
  const at = iso(timeOf(turn_id) ?? likelyTime(asked, thread));
  return { ...ofThread(thread, lane), type: null, turn_id, item_id, ...oneLine(one), at, source: "codex" };
}

function ofThread(thread: ThreadFacts, lane: Lane | undefined): Pick<Match, "ref" | "id" | "title" | "cwd"> {
  const title =
    lane?.title ?? thread.name ?? thread.preview.slice(0, limits.input.titleCharsMax).toWellFormed();
  return { ref: lane?.ref ?? null, id: thread.id, title, cwd: thread.cwd };
}

/** Every run of white space is one blank, and the hit stands where it then stands. */
function oneLine(of: { snippet: string; start?: number; end?: number }): Pick<Match, "snippet" | "hit"> {
  const flat = (text: string) => text.replace(/\s+/g, " ");
  const { snippet, start, end } = of;
  const line = flat(snippet).toWellFormed();
  if (start === undefined || end === undefined || end <= start) return { snippet: line, hit: null };
  const from = flat(snippet.slice(0, start)).length;
  return { snippet: line, hit: { start: from, end: from + flat(snippet.slice(start, end)).length } };
}

/** Codex's turn ids are UUIDv7: the time stands in front. */
function timeOf(turnId: string): number | null {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(turnId)
    ? Number.parseInt(turnId.slice(0, 8) + turnId.slice(9, 13), 16)
    : null;
}
