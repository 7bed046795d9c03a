/**
 * The turns of a thread from before it was ours: it was taken from another app, or is a fork of a thread with a
 * history.
 */
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Lane } from "../model/ports/rows.ts";
import type { TurnFacts } from "../model/ports/thread.ts";
import { refusalOf } from "../model/refusal.ts";
import { noteAnswer } from "../state/lastmessage.ts";
import { clipped } from "../state/turn.ts";

/** Undefined: it has none, or none that Codex can read. */
export async function newestTurn({ agent }: CoreDeps, threadId: string): Promise<TurnFacts | undefined> {
  try {
    return (await agent.listTurns(threadId, { cursor: null, limit: 1 })).turns[0];
  } catch (thrown) {
    if (refusalOf(thrown) === "no_history") return undefined;
    throw thrown;
  }
}

/**
 * Stores the turn as the latest of the lane. Only when dispatch never sent a message to the lane: otherwise the turn
 * has to be settled, with all that follows from its end. Inside an open transaction.
 */
export function rememberTurn(deps: CoreDeps, change: Change, lane: Lane, turn: TurnFacts | undefined): void {
  const { store } = deps;
  if (turn === undefined || turn.status === "in_progress" || store.messages.first(lane.ref)) return;
  if (store.lanes.findFacts(lane.ref)?.latest) return;
  store.turns.put({
    lane: lane.ref,
    turn_id: turn.id,
    origin: "other",
    status: turn.status,
    epoch: null,
    error: turn.error && clipped(turn.error, limits.thread.turnErrorCharsMax),
    retrying_since: null,
    started_at: turn.started_at ?? turn.completed_at ?? change.now,
    completed_at: turn.completed_at ?? change.now,
  });
  noteAnswer(deps, lane, turn.items, turn.id, change.now);
}
