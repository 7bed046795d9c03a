/**
 * A registry that was copied back from an older state knows messages as queued that Codex already has. Codex does not
 * refuse an id twice, so they are looked for before anything of the queue is sent.
 */

import type { CoreDeps } from "../model/deps.ts";
import type { Epoch } from "../model/ports/agent.ts";
import type { Lane } from "../model/ports/rows.ts";
import type { TurnFacts } from "../model/ports/thread.ts";
import { contextTaken, delivered, move } from "../state/settle.ts";
import { turnEnded } from "../state/turn.ts";
import { readBack, turnHolding } from "./history.ts";

/** Under the lane's lock, when its thread was reopened. Reads history only when its newest turn is not in the registry. */
export async function settleAlreadySent(
  world: CoreDeps,
  lane: Lane & { thread_id: string },
  newest: TurnFacts | undefined,
  epoch: Epoch,
): Promise<void> {
  const { store, agent, journal } = world;
  if (newest === undefined || lane.pending === 0 || store.turns.find(lane.ref, newest.id)) return;
  const { turns } = await readBack(agent, lane.thread_id, store.turns.latest(lane.ref)?.turn_id ?? null);
  const waiting = store.messages.listQueued(lane.ref, { after: null, limit: lane.pending });
  for (const { id, mode } of waiting) {
    const turn = turnHolding(turns, id);
    const isInjected =
      turn === undefined && mode === "context" && lane.rollout_path !== null
        ? await agent.hasInjected(lane.rollout_path, id)
        : false;
    if (turn === undefined && !isInjected) continue;
    journal.commit((change) => {
      const message = store.messages.find(id);
      if (message?.state !== "queued") return;
      move(store, change, message, "claimed", { epoch, claimed_at: change.now });
      if (turn === undefined) {
        contextTaken(world, change, message);
        return;
      }
      delivered(store, change, store.messages.get(id), turn.id);
      if (turn.status === "in_progress") return;
      const { status, error, completed_at } = turn;
      turnEnded(store, change, lane, { turn_id: turn.id, status, error, completed_at });
    });
  }
}
