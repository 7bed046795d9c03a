/** Ephemeral threads: Codex stores nothing of them, so they end with the process that ran them. */

import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import { isInFlight } from "../model/message.ts";
import { endQueued, unsure } from "./settle.ts";
import { turnEnded } from "./turn.ts";

/**
 * They have no history to read back, so a message in flight becomes unsure. Inside the transaction that ends the epoch.
 */
export function endEphemeral({ store }: CoreDeps, change: Change): void {
  for (const lane of store.lanes.ephemeral()) {
    if (lane.thread_id === null) continue;
    for (const message of store.messages.open(lane.ref)) {
      if (isInFlight(message.state))
        unsure(store, change, message, "its ephemeral thread ended with its Codex");
    }
    for (const { turn_id } of store.turns.running(lane.ref)) {
      const end = { status: "interrupted", error: null, completed_at: null } as const;
      turnEnded(store, change, lane, { turn_id, ...end, crashed: true });
    }
    endQueued(store, change, lane.ref, {
      code: "not_found",
      message: "the ephemeral thread ended with its Codex",
    });
    store.lanes.set(lane.ref, { gone_at: change.now, updated_at: change.now });
    change.append({ kind: "thread.gone", lane: lane.ref });
  }
}
