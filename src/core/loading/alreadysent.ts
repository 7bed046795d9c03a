/**
 * After a restore from an older state, the registry has messages as queued that Codex already has. Codex does not
 * refuse an id twice (facts F4), so the history is searched for them before any queued message is sent.
 */

import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Epoch } from "../model/ports/agent.ts";
import type { Lane, MessageId } from "../model/ports/rows.ts";
import type { TurnFacts } from "../model/ports/thread.ts";
import { contextTaken, delivered, move } from "../state/settle.ts";
import { turnEnded } from "../state/turn.ts";
import { newestTurn } from "./earlier.ts";
import { readBack, turnHolding } from "./history.ts";

/**
 * Under the lane's lock, before its thread is resumed: after the resume new turns are stored, and a newer turn in the
 * registry would hide the older ones. Reads the history only when its newest turn is not in the registry. Everything
 * found is stored at once, for the same reason.
 */
export async function settleAlreadySent(
  deps: CoreDeps,
  lane: Lane & { thread_id: string },
  epoch: Epoch,
): Promise<void> {
  const { store, agent, journal } = deps;
  if (lane.pending === 0) return;
  const newest = await newestTurn(deps, lane.thread_id);
  if (newest === undefined || store.turns.find(lane.ref, newest.id)) return;
  const { turns } = await readBack(agent, lane.thread_id, store.turns.latest(lane.ref)?.turn_id ?? null);
  const waiting = store.messages.listQueued(lane.ref, { after: null, limit: lane.pending });
  const found = new Map<MessageId, TurnFacts | undefined>();
  for (const { id, mode } of waiting) {
    const turn = turnHolding(turns, id);
    const isInjected =
      turn === undefined && mode === "context" && lane.rollout_path !== null
        ? await agent.hasInjected(lane.rollout_path, id)
        : false;
    if (turn === undefined && !isInjected) continue;
    found.set(id, turn);
  }
  journal.commit((change) => {
    for (const [id, turn] of found) settle(deps, change, lane, { id, turn, epoch });
  });
}

/** Without a turn the message is context that Codex has. */
function settle(
  deps: CoreDeps,
  change: Change,
  lane: Lane,
  { id, turn, epoch }: { id: MessageId; turn: TurnFacts | undefined; epoch: Epoch },
): void {
  const { store } = deps;
  const message = store.messages.find(id);
  if (message?.state !== "queued") return;
  move(store, change, message, "claimed", { epoch, claimed_at: change.now });
  if (turn === undefined) {
    contextTaken(deps, change, message);
    return;
  }
  delivered(store, change, store.messages.get(id), turn.id);
  if (turn.status === "in_progress") return;
  const { status, error, completed_at } = turn;
  turnEnded(store, change, lane, { turn_id: turn.id, status, error, completed_at });
}
