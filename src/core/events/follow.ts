/** Reads the event log by cursor: pages, samples and streams. */

import { iso } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import type { EventView } from "../../contract/events.ts";
import type { CoreDeps } from "../model/deps.ts";
import { cursorOf, type EventRow, seqOf } from "../model/events.ts";
import type { Ref } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";

export interface EventSelection {
  kinds?: readonly string[];
  lanes?: readonly Ref[];
}

export interface Page {
  events: EventView[];
  next_cursor: string;
}

export interface EventPage extends Page {
  /** Rows of the selection were left out: behind the page, or without a cursor before it. */
  truncated: boolean;
  /** Where the log begins, when rows before the page were left out; else null. */
  first_cursor: string | null;
}

function viewOf(row: EventRow, logId: string): EventView {
  const { seq, at, kind, lane, turn_id, receipt, data } = row;
  return { seq, cursor: cursorOf(logId, seq), at: iso(at), kind, thread: lane, turn_id, receipt, data };
}

/** The seq after which to read: from the cursor, or the end of the log. Throws `usage` for a cursor of another log. */
function startOf({ log }: Store, cursor: string | null): number {
  return cursor === null ? log.last() : seqOf(cursor, { id: log.id(), first: log.first(), last: log.last() });
}

/** The rows after the cursor, oldest first; without a cursor the newest rows. */
export function page(
  { store }: CoreDeps,
  selection: EventSelection,
  cursor: string | null,
  limit: number,
): EventPage {
  const id = store.log.id();
  const end = store.log.last();
  const found =
    cursor === null
      ? store.events.newest({ ...selection, limit: limit + 1 })
      : store.events.list({ ...selection, after: startOf(store, cursor), limit: limit + 1 });
  const truncated = found.length > limit;
  const rows = found.slice(0, limit);
  // The last page covers the whole log, also the rows that the filter left out.
  const next = truncated && cursor !== null ? rows.at(-1)!.seq : end;
  const first_cursor = truncated && cursor === null ? cursorOf(id, store.log.first() - 1) : null;
  const events = (cursor === null ? rows.reverse() : rows).map((row) => viewOf(row, id));
  return { events, next_cursor: cursorOf(id, next), truncated, first_cursor };
}

export interface Sample extends Page {
  timed_out: boolean;
}

/** The rows from now (or from the cursor) on: up to `limit`, or those within `timeoutMs`. */
export async function sample(
  deps: CoreDeps,
  selection: EventSelection,
  cursor: string | null,
  limit: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Sample> {
  const { store, journal, clock } = deps;
  const over = new AbortController();
  const end = () => over.abort();
  const cancel = clock.after(timeoutMs, end);
  signal.addEventListener("abort", end, { once: true });
  let after = startOf(store, cursor);
  const events: EventView[] = [];
  try {
    for (;;) {
      const seen = store.log.last();
      const rows = store.events.list({ ...selection, after, limit: limit - events.length });
      events.push(...rows.map((row) => viewOf(row, store.log.id())));
      after = events.length < limit ? seen : (rows.at(-1)?.seq ?? after);
      if (events.length < limit) signal.throwIfAborted();
      if (events.length >= limit || over.signal.aborted) {
        return { events, next_cursor: cursorOf(store.log.id(), after), timed_out: events.length < limit };
      }
      await journal.grown(after, over.signal);
    }
  } finally {
    cancel();
    signal.removeEventListener("abort", end);
  }
}

/** Every row after the cursor (or from now), until `signal` aborts. `emit` resolves when the reader may take more. */
export async function follow(
  deps: CoreDeps,
  selection: EventSelection,
  cursor: string | null,
  emit: (row: EventView) => Promise<void>,
  signal: AbortSignal,
): Promise<string> {
  const { store, journal } = deps;
  const id = store.log.id();
  let after = startOf(store, cursor);
  while (!signal.aborted) {
    const seen = store.log.last();
    const rows = store.events.list({ ...selection, after, limit: limits.event.pageMax });
    for (const row of rows) {
      await emit(viewOf(row, id));
      after = row.seq;
      if (signal.aborted) return cursorOf(id, after);
    }
    if (rows.length === limits.event.pageMax) continue;
    after = Math.max(after, seen);
    await journal.grown(after, signal);
  }
  return cursorOf(id, after);
}
