/**
 * The goal of `new --goal`. An active goal starts turns by itself and would swallow the first text, so it is set
 * paused, and made active only once that text is delivered.
 */

import { fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { refuseUnwritable } from "./accept.ts";
import { isTerminal } from "./message.ts";
import { type Opened, open } from "./open.ts";
import type { Lane, Ref } from "./ports/rows.ts";
import type { Store } from "./ports/store.ts";
import type { GoalChange, GoalFacts } from "./ports/thread.ts";
import type { World } from "./world.ts";

/** Something of it is still to be done, and nothing stands in its way: a goal starts work, so a hold does. */
export function isGoalDue({ store }: World, lane: Lane): boolean {
  if (lane.goal_setup === "wanted") return true;
  return lane.goal_setup === "paused" && lane.hold_reason === null && isFirstTaken(store, lane.ref);
}

function isFirstTaken(store: Store, ref: Ref): boolean {
  const first = store.messages.first(ref);
  return first === undefined || first.state === "delivered" || isTerminal(first.state);
}

/** Under the lane's lock, with its thread open. */
export async function activateGoal(world: World, opened: Opened): Promise<void> {
  const { store, agent, journal } = world;
  const { lane } = opened;
  const now = store.lanes.get(lane.ref);
  if (!now || now.goal_setup === null || now.goal === null || !isGoalDue(world, now)) return;
  const { objective } = now.goal;
  if (now.goal_setup === "wanted") {
    await agent.setGoal(lane.thread_id, { objective, status: "paused" });
    journal.commit(() => store.lanes.set(lane.ref, { goal_setup: "paused" }));
    await activateGoal(world, opened);
    return;
  }
  await agent.setGoal(lane.thread_id, { status: "active" });
  journal.commit((change) => {
    store.lanes.set(lane.ref, { goal: { ...now.goal!, status: "active" }, goal_setup: null });
    change.append({ kind: "goal.changed", lane: lane.ref, data: { status: "active", by: "dispatch" } });
  });
}

/** Reads it from Codex, which alone knows how far it is; works for a thread of another app too. */
export async function readGoal(world: World, ref: Ref): Promise<GoalFacts | null> {
  const { store, agent, journal } = world;
  const lane = store.lanes.get(ref)!;
  if (lane.thread_id === null || lane.goal_setup !== null) return lane.goal;
  await agent.ready(limits.agentReadyWaitMs);
  const goal = await agent.readGoal(lane.thread_id);
  if (JSON.stringify(goal) !== JSON.stringify(lane.goal))
    journal.commit(() => store.lanes.set(ref, { goal }));
  return goal;
}

/** An active goal starts turns by itself, on a loaded thread; so the thread is opened for it. */
export async function setGoal(world: World, ref: Ref, change: GoalChange): Promise<GoalFacts | null> {
  const { store, agent } = world;
  refuseUnwritable(store.lanes.get(ref)!);
  return world.locked(ref, async () => {
    refuseUnwritable(store.lanes.get(ref)!);
    const { lane } = await open(world, ref);
    const before = await agent.readGoal(lane.thread_id);
    if (!before && change.objective === undefined)
      fail("usage", `thread ${ref} has no goal yet`, { hint: `dispatch goal set ${ref} "the objective"` });
    // Set over a finished one, a goal would go on with its tokens used (measured).
    if (before?.status === "complete" && change.objective !== undefined)
      await agent.clearGoal(lane.thread_id);
    await agent.setGoal(lane.thread_id, change);
    return noted(world, ref, await agent.readGoal(lane.thread_id));
  });
}

export async function clearGoal(world: World, ref: Ref): Promise<void> {
  const { store, agent } = world;
  const lane = store.lanes.get(ref)!;
  refuseUnwritable(lane);
  await agent.ready(limits.agentReadyWaitMs);
  await world.locked(ref, async () => {
    if (lane.thread_id !== null) await agent.clearGoal(lane.thread_id);
    noted(world, ref, null);
  });
}

function noted({ store, journal }: World, ref: Ref, goal: GoalFacts | null): GoalFacts | null {
  journal.commit((change) => {
    store.lanes.set(ref, { goal, goal_setup: null, updated_at: change.now });
    change.append({
      kind: "goal.changed",
      lane: ref,
      data: { status: goal?.status ?? null, by: "dispatch" },
    });
  });
  return goal;
}
