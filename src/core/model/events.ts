/** The types of the durable event log, and its cursors. */
import { fail } from "../../base/error.ts";
import type { EventData, EventKind } from "../../contract/events.ts";

/** `data` is optional for a kind that has none. */
export type EventDraft = { [Kind in EventKind]: Draft<Kind> }[EventKind];

type Draft<Kind extends EventKind> = {
  kind: Kind;
  lane?: string | null;
  turn_id?: string | null;
  receipt?: string | null;
} & (Record<string, never> extends EventData[Kind] ? { data?: EventData[Kind] } : { data: EventData[Kind] });

export interface EventRow {
  seq: number;
  at: number;
  kind: EventKind;
  lane: string | null;
  turn_id: string | null;
  receipt: string | null;
  data: Record<string, unknown>;
}

export function cursorOf(logId: string, seq: number): string {
  return `${logId}:${seq}`;
}

/**
 * The seq of the last event before the cursor. Throws `usage` for a cursor of another log, past the end, or before the
 * first event that is kept; it never waits silently.
 */
export function seqOf(cursor: string, log: { id: string; first: number; last: number }): number {
  const at = cursor.lastIndexOf(":");
  const seq = Number(cursor.slice(at + 1));
  const hint = "dispatch events --limit 1";
  if (at < 1 || !/^\d{1,15}$/.test(cursor.slice(at + 1)))
    fail("usage", `"${cursor}" is not a cursor`, { hint });
  if (cursor.slice(0, at) !== log.id) fail("usage", "the cursor belongs to another registry's log", { hint });
  if (seq > log.last) fail("usage", `the cursor is past the end of the log (${log.last})`, { hint });
  if (seq + 1 < log.first) fail("usage", `the log before ${log.first} is no longer kept`, { hint });
  return seq;
}
