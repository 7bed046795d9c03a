/**
 * Reads a thread's history into the index, in pages from its newest turn. What was left out is remembered as gaps, so
 * that the next sync picks up what is new, and then goes on where this one stopped. Nothing is ever taken away.
 */
import { errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { macrotask } from "../../base/macrotask.ts";
import { type KeyedMutex, keyedMutex } from "../../base/mutex.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Gap, IndexedItem } from "../model/ports/indexed.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import type { TurnFacts } from "../model/ports/thread.ts";
import { refusalOf } from "../model/refusal.ts";
import { indexedBytesMax, indexedError, indexedItem } from "./indexed.ts";

/** How much one sync takes in at most; null is no bound. What is in the index already costs nothing of it. */
export interface Bounds {
  turns: number | null;
  items: number | null;
  bytes: number | null;
  ms: number | null;
}

/** Throws `agent_down`, `not_found`, `agent`, `storage`; what was read before stays. */
export type Syncing = (ref: Ref, bounds: Bounds, signal: AbortSignal) => Promise<void>;

export function syncing(deps: CoreDeps): Syncing {
  // Not the lane's own lock: reading takes seconds, and a message must not wait for it.
  const reading: KeyedMutex = keyedMutex();
  return (ref, bounds, signal) =>
    reading.run(ref, async () => {
      const lane = deps.store.lanes.get(ref);
      if (lane.thread_id === null) return;
      await deps.agent.ready(limits.codex.readyWaitMs);
      const note = (error: string | null) =>
        deps.journal.note(({ now }) =>
          deps.store.items.setSync(ref, error === null ? { synced_at: now, error } : { error }),
        );
      try {
        await readAll(deps, lane as Threaded, budget(deps, bounds, signal));
      } catch (thrown) {
        note(errorMessage(thrown).slice(0, limits.thread.previewCharsMax));
        if (refusalOf(thrown) !== "no_rollout") throw thrown;
        fail("not_found", `Codex has no history of ${ref}`, { hint: `dispatch get ${ref}`, cause: thrown });
      }
      note(null);
    });
}

type Threaded = Lane & { thread_id: string };

interface Added {
  items: number;
  bytes: number;
}

interface Budget {
  take(added: Added): void;
  isSpent(): boolean;
  /** Of the next page: no more than the turns that are left. */
  pageTurns(): number;
}

function budget({ clock }: CoreDeps, bounds: Bounds, signal: AbortSignal): Budget {
  const spent = { turns: 0, items: 0, bytes: 0 };
  const until = bounds.ms === null ? Number.POSITIVE_INFINITY : clock.monotonic() + bounds.ms;
  const isOver = (used: number, most: number | null) => most !== null && used >= most;
  return {
    take({ items, bytes }) {
      if (items > 0) spent.turns++;
      spent.items += items;
      spent.bytes += bytes;
    },
    isSpent: () =>
      signal.aborted ||
      clock.monotonic() >= until ||
      isOver(spent.turns, bounds.turns) ||
      isOver(spent.items, bounds.items) ||
      isOver(spent.bytes, bounds.bytes),
    pageTurns: () =>
      Math.min(limits.wire.historyPageTurns, (bounds.turns ?? Number.POSITIVE_INFINITY) - spent.turns),
  };
}

async function readAll(deps: CoreDeps, lane: Threaded, left: Budget): Promise<void> {
  const known = deps.store.items.sync(lane.ref);
  let top = known?.top_turn ?? null;
  let gaps: Gap[] = [{ cursor: null, until: top }, ...(known?.gaps ?? [])];
  // The first page is read whatever the bounds: without it nothing can be said of what there is.
  do {
    const [gap, ...older] = gaps as [Gap, ...Gap[]];
    const page = await pageOf(deps, lane, gap, left);
    if (gap.cursor === null) top = newestSettled(page.turns) ?? top;
    gaps = remaining(gap, older, page);
    deps.journal.note(() => deps.store.items.setSync(lane.ref, { top_turn: top, gaps }));
  } while (gaps.length > 0 && !left.isSpent());
}

interface Read {
  turns: TurnFacts[];
  /** Where what was not read begins; null at the beginning of the history. */
  next: string | null;
  metKnown: boolean;
}

/** One page, as far as the budget goes. */
async function pageOf(deps: CoreDeps, lane: Threaded, gap: Gap, left: Budget): Promise<Read> {
  const { turns, next_cursor } = await listed(deps, lane.thread_id, gap, left.pageTurns());
  const known = turns.findIndex((turn) => turn.id === gap.until);
  const fresh = known < 0 ? turns : turns.slice(0, known);
  let taken = 0;
  while (taken < fresh.length && !(taken > 0 && left.isSpent())) {
    taken += takeIn(deps, lane.ref, fresh.slice(taken), left);
    await macrotask();
  }
  const read = fresh.slice(0, taken);
  if (taken === fresh.length) return { turns: read, next: next_cursor, metKnown: known >= 0 };
  // A cursor stands between pages only: a page of just what was taken in ends where it stopped.
  const short = await listed(deps, lane.thread_id, gap, taken);
  return { turns: read, next: short.next_cursor, metKnown: false };
}

/**
 * As many turns as one transaction should hold; answers how many. A commit a turn costs twice the time of one for
 * ten (measured), and FTS5 takes some 5 MB/s, while Codex's words and the callers wait.
 */
function takeIn(deps: CoreDeps, ref: Ref, turns: readonly TurnFacts[], left: Budget): number {
  return deps.journal.note(({ now }) => {
    let bytes = 0;
    for (const [at, turn] of turns.entries()) {
      if (at > 0 && (bytes >= limits.search.syncCommitBytes || left.isSpent())) return at;
      const added = put(deps, ref, turn, now);
      left.take(added);
      bytes += added.bytes;
    }
    return turns.length;
  });
}

/** A cursor that a revert made void starts the stretch again: what is known already costs only the reading. */
async function listed({ agent }: CoreDeps, threadId: string, gap: Gap, limit: number) {
  try {
    return await agent.listTurns(threadId, { cursor: gap.cursor, limit });
  } catch (thrown) {
    if (gap.cursor === null || refusalOf(thrown) !== "other") throw thrown;
    return agent.listTurns(threadId, { cursor: null, limit });
  }
}

function put(deps: CoreDeps, ref: Ref, turn: TurnFacts, now: number): Added {
  const { store } = deps;
  const added = { items: 0, bytes: 0 };
  for (const item of rowsOf(ref, turn, now, indexedBytesMax(deps))) {
    if (!store.items.put(item)) continue;
    added.items++;
    added.bytes += Buffer.byteLength(item.text);
  }
  return added;
}

function rowsOf(ref: Ref, turn: TurnFacts, now: number, bytesMax: number): IndexedItem[] {
  const at = turn.started_at ?? now;
  const items = turn.items.map((item) => indexedItem(ref, turn.id, item, at, bytesMax));
  return [...items, indexedError(ref, turn, at, bytesMax)].filter((item) => item !== undefined);
}

/**
 * The newest turn that takes nothing in any more. One that runs in another process reads as interrupted (measured), so
 * an interrupted one counts only once something follows it.
 */
function newestSettled(turns: readonly TurnFacts[]): string | undefined {
  return turns.find((turn, at) => turn.status !== "in_progress" && (at > 0 || turn.status !== "interrupted"))
    ?.id;
}

function remaining(gap: Gap, older: Gap[], { next, metKnown }: Read): Gap[] {
  // Without what this one covers: a stretch that goes down to the same turn.
  const others = older.filter((one) => one.until !== gap.until);
  if (metKnown) return others;
  // The beginning: what was known was reverted, and no older stretch is left either.
  if (next === null) return [];
  const gaps = [{ cursor: next, until: gap.until }, ...others];
  if (gaps.length <= limits.search.syncGapsMax) return gaps;
  const [last, before] = [gaps.at(-1)!, gaps.at(-2)!];
  return [...gaps.slice(0, -2), { cursor: before.cursor, until: last.until }];
}
