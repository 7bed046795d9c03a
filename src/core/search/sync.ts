/**
 * Reads a thread's history into the index, in pages from its newest turn. What was left out is stored as gaps, so that
 * the next sync reads what is new, and then goes on where this one stopped. Nothing is removed from the index.
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

/** The limits of one sync; null: no limit. What is already in the index does not count. */
export interface Bounds {
  turns: number | null;
  items: number | null;
  bytes: number | null;
  ms: number | null;
}

/** Throws `agent_down`, `not_found`, `agent`, `storage`; what was read before that stays in the index. */
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
  /** For the next page: at most the turns that are left. */
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
  // The first page is always read: without it nothing is known about the history.
  do {
    const [gap, ...older] = gaps as [Gap, ...Gap[]];
    const page = await pageOf(deps, lane, gap, left);
    if (gap.cursor === null) top = newestSettled(page.turns) ?? top;
    gaps = remaining(gap, older, page);
    deps.journal.note(() => deps.store.items.setSync(lane.ref, { top_turn: top, gaps }));
  } while (gaps.length > 0 && !left.isSpent());
}

interface PageRead {
  turns: TurnFacts[];
  /** The cursor of the part that was not read; null at the beginning of the history. */
  next: string | null;
  metKnown: boolean;
}

/** One page, as far as the budget goes. */
async function pageOf(deps: CoreDeps, lane: Threaded, gap: Gap, left: Budget): Promise<PageRead> {
  const { turns, next_cursor } = await listed(deps, lane.thread_id, gap, left.pageTurns());
  const known = turns.findIndex((turn) => turn.id === gap.until);
  const fresh = known < 0 ? turns : turns.slice(0, known);
  let taken = 0;
  while (taken < fresh.length && !(taken > 0 && left.isSpent())) {
    taken += indexTurns(deps, lane.ref, fresh.slice(taken), left);
    await macrotask();
  }
  const read = fresh.slice(0, taken);
  if (taken === fresh.length) return { turns: read, next: next_cursor, metKnown: known >= 0 };
  // Cursors exist between pages only: a page with just the indexed turns ends where indexing stopped.
  const short = await listed(deps, lane.thread_id, gap, taken);
  return { turns: read, next: short.next_cursor, metKnown: false };
}

/**
 * Indexes as many turns as one transaction should contain; returns how many. While it runs, events of Codex and callers
 * wait (measured: a commit for each turn takes twice the time of one for ten; FTS5 indexes some 5 MB/s).
 */
function indexTurns(deps: CoreDeps, ref: Ref, turns: readonly TurnFacts[], left: Budget): number {
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

/**
 * When a revert made the cursor invalid, the part is read again from the newest turn; known turns cost only the read.
 */
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
 * The newest turn that gets no more items. A turn that runs in another process reads as interrupted (facts F16), so an
 * interrupted turn counts only when another turn follows it.
 */
function newestSettled(turns: readonly TurnFacts[]): string | undefined {
  return turns.find((turn, at) => turn.status !== "in_progress" && (at > 0 || turn.status !== "interrupted"))
    ?.id;
}

function remaining(gap: Gap, older: Gap[], { next, metKnown }: PageRead): Gap[] {
  // Without the parts that this one covers: those that go down to the same turn.
  const others = older.filter(({ until }) => until !== gap.until);
  if (metKnown) return others;
  // The beginning was reached: the known turn was reverted, and no older part is left.
  if (next === null) return [];
  const gaps = [{ cursor: next, until: gap.until }, ...others];
  if (gaps.length <= limits.search.syncGapsMax) return gaps;
  const [last, before] = [gaps.at(-1)!, gaps.at(-2)!];
  return [...gaps.slice(0, -2), { cursor: before.cursor, until: last.until }];
}
