/** Done while nothing runs: an outdated child is replaced, and threads that are not needed are unloaded. */
import { errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Delivery } from "../delivery/modes.ts";
import { isOpening } from "../loading/blame.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Ref } from "../model/ports/rows.ts";
import { isEphemeral } from "../state/lane.ts";

/**
 * After its file was replaced, a child fails every sandboxed command. So the new file is started as soon as nothing
 * runs.
 */
export async function renewReplaced(deps: CoreDeps): Promise<void> {
  const { store, agent, live, blame } = deps;
  if (agent.status().program !== "replaced") return;
  const isBusy =
    isOpening(deps) ||
    store.turns.listRunning().length > 0 ||
    store.counts().requests > 0 ||
    store.lanes.withActiveGoal().length > 0 ||
    store.lanes.ephemeral().length > 0 ||
    live.withAgents().length > 0 ||
    live.list().some(([, { status }]) => status === "active") ||
    store.lanes.unfinished().some((ref) => store.messages.inFlight(ref) !== undefined);
  if (isBusy) return;
  blame.ended = live.epoch();
  await agent.renew("its program was replaced: a newer one is started");
}

/** The threads that are not needed at the moment, with Codex's ids. */
export function idleThreads(deps: CoreDeps, isDue: Delivery["isDue"]): [Ref, threadId: string][] {
  return deps.live.list().flatMap(([threadId]) => {
    const ref = idleLane(deps, isDue, threadId);
    return ref === undefined ? [] : [[ref, threadId] as [Ref, string]];
  });
}

/** Frees memory and Codex's writer lock, so that the user's own terminal can open the thread. */
export async function unload(
  deps: CoreDeps,
  isDue: Delivery["isDue"],
  ref: Ref,
  threadId: string,
): Promise<void> {
  const { agent, live, log } = deps;
  try {
    await deps.locked(ref, async () => {
      // Checked again: a send may have run during the wait for the lock.
      if (idleLane(deps, isDue, threadId) === undefined) return;
      await agent.unsubscribe(threadId);
      live.drop(threadId);
    });
  } catch (thrown) {
    log.warn("an idle thread could not be unloaded", { lane: ref, reason: errorMessage(thrown) });
  }
}

/** The lane of an open thread in which nothing runs, waits or asks. */
function idleLane(
  { store, live, clock }: CoreDeps,
  isDue: Delivery["isDue"],
  threadId: string,
): Ref | undefined {
  const liveThread = live.get(threadId);
  if (
    !liveThread ||
    liveThread.status === "active" ||
    clock.monotonic() - liveThread.heard < limits.thread.idleUnloadMs
  )
    return undefined;
  const lane = store.lanes.findByThread(threadId);
  // Unloading would end it.
  if (lane && isEphemeral(lane)) return undefined;
  // Unloading would lose the reports of its sub-agents, those that are ready and those to come.
  if (live.agents(threadId).length > 0 || live.owesReport(threadId)) return undefined;
  const facts = lane && store.lanes.findFacts(lane.ref);
  if (!lane || !facts) return undefined;
  const isWanted =
    facts.in_flight + facts.requests.length > 0 || lane.goal?.status === "active" || isDue(lane);
  return isWanted || store.turns.running(lane.ref).length > 0 ? undefined : lane.ref;
}
