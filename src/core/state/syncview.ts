/** How much of a thread is in the index, as outputs show it. */

import { isoOrNull } from "../../base/clock.ts";
import type { SyncView } from "../../contract/thread.ts";
import type { Sync } from "../model/ports/indexed.ts";

export function syncView(sync: Sync | null): SyncView {
  const { turns = 0, items = 0, bytes = 0, synced_at = null, error = null, gaps = [] } = sync ?? {};
  const read = synced_at !== null && gaps.length === 0 ? "complete" : items > 0 ? "partial" : "metadata";
  return {
    state: error === null ? read : "error",
    turns,
    items,
    bytes,
    last_synced_at: isoOrNull(synced_at),
    source: synced_at !== null ? "history" : items > 0 ? "live" : null,
    truncated: gaps.length > 0,
    error,
  };
}
