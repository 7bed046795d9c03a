/**
 * The goal of `new --goal`. An active goal starts turns by itself, and the first text would join such a turn (facts
 * F30). So the goal is set paused, and made active after that text was delivered.
 */

import { errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import { isTerminal } from "../model/message.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";
import type { GoalChange, GoalFacts } from "../model/ports/thread.ts";
import { goalBlock } from "../state/capacity.ts";
import { cutGoal } from "../state/goal.ts";
import { refuseUnwritable } from "../state/writable.ts";
import { confirmed } from "./confirmed.ts";
import { type Opened, open } from "./open.ts";

/**
 * A step of its setup is left, and nothing prevents it. An active goal starts work, so a hold, a usage limit and a limit of the
 * user prevent it.
 */
export function isGoalDue(deps: CoreDeps, lane: Lane): boolean {
  if (lane.goal_setup === "wanted") return true;
  return (
    lane.goal_setup === "paused" &&
    lane.hold_reason === null &&
    goalBlock(deps, lane) === null &&
    isFirstDelivered(deps.store, lane.ref)
  );
}

function isFirstDelivered(store: Store, ref: Ref): boolean {
  const first = store.messages.first(ref);
  return first === undefined || first.state === "delivered" || isTerminal(first.state);
}

/** Under the lane's lock, with its thread open. */
export async function activateGoal(deps: CoreDeps, opened: Opened): Promise<void> {
  const { store, journal } = deps;
  const { lane } = opened;
  const now = store.lanes.find(lane.ref);
  if (!now || now.goal_setup === null || now.goal === null || !isGoalDue(deps, now)) return;
  const { objective } = now.goal;
  if (now.goal_setup === "wanted") {
    await putGoal(deps, lane.thread_id, { objective, status: "paused" });
    journal.commit(() => store.lanes.set(lane.ref, { goal_setup: "paused" }));
    await activateGoal(deps, opened);
    return;
  }
  await beginning(deps, opened, () => putGoal(deps, opened.lane.thread_id, { status: "active" }));
  journal.commit((change) => {
    store.lanes.set(lane.ref, { goal: { ...now.goal!, status: "active" }, goal_setup: null });
    change.append({ kind: "goal.changed", lane: lane.ref, data: { status: "active", by: "dispatch" } });
  });
}

/**
 * Pauses in the registry every goal that was active in the child that ended. Inside the transaction that ends the
 * epoch.
 */
export function interruptGoals({ store }: CoreDeps, change: Change): void {
  for (const lane of store.lanes.withActiveGoal()) {
    store.lanes.set(lane.ref, { goal: cutGoal(lane.goal) });
    change.append({
      kind: "goal.changed",
      lane: lane.ref,
      data: { status: "paused", by: "dispatch", why: "the Codex that ran it ended" },
    });
  }
}

/**
 * Pauses in Codex what the registry paused: Codex keeps such a goal active, and a resume would continue it (facts T10).
 */
export async function pauseInterrupted(deps: CoreDeps, ref: Ref): Promise<void> {
  const { store, agent, log } = deps;
  try {
    await deps.locked(ref, async () => {
      const lane = store.lanes.find(ref);
      if (!lane?.thread_id || lane.goal?.interrupted !== true) return;
      if ((await agent.readGoal(lane.thread_id))?.status !== "active") return;
      await putGoal(deps, lane.thread_id, { status: "paused" });
    });
  } catch (thrown) {
    log.warn("an interrupted goal could not be paused in Codex", {
      lane: ref,
      reason: errorMessage(thrown),
    });
  }
}

/**
 * The goal to store, from the one that Codex reported. In a thread that is not loaded no goal is active, whatever Codex
 * reports.
 */
export function goalToStore({ live }: CoreDeps, lane: Lane, goal: GoalFacts | null): GoalFacts | null {
  if (goal === null || lane.source !== "own") return goal;
  const isSame = lane.goal?.interrupted === true && lane.goal.objective === goal.objective;
  const isLost = goal.status === "active" && live.get(lane.thread_id) === undefined;
  if (isLost || (isSame && goal.status === "paused")) return { ...goal, status: "paused", interrupted: true };
  return goal;
}

/** Reads it from Codex, which alone knows its progress; works for a thread of another app too. */
export async function readGoal(deps: CoreDeps, ref: Ref): Promise<GoalFacts | null> {
  const { store, agent, journal } = deps;
  const lane = store.lanes.get(ref);
  if (lane.thread_id === null || lane.goal_setup !== null) return lane.goal;
  await agent.ready(limits.codex.readyWaitMs);
  const goal = goalToStore(deps, lane, await agent.readGoal(lane.thread_id));
  if (JSON.stringify(goal) !== JSON.stringify(lane.goal))
    journal.commit(() => store.lanes.set(ref, { goal }));
  return goal;
}

/** An active goal starts turns in a loaded thread only, so the thread is opened first. */
export async function setGoal(deps: CoreDeps, ref: Ref, change: GoalChange): Promise<GoalFacts | null> {
  const { store, agent } = deps;
  refuseUnwritable(store.lanes.get(ref));
  return deps.locked(ref, async () => {
    refuseUnwritable(store.lanes.get(ref));
    const opened = await open(deps, ref);
    const { lane } = opened;
    const before = await agent.readGoal(lane.thread_id);
    if (!before && change.objective === undefined)
      fail("usage", `thread ${ref} has no goal yet`, { hint: `dispatch goal set ${ref} "the objective"` });
    const status = change.status ?? (before?.status === "paused" ? "paused" : "active");
    const begins = status === "active" && before?.status !== "active";
    const block = begins ? goalBlock(deps, lane) : null;
    if (block)
      fail("thread_busy", `the goal cannot begin: ${block.message}`, {
        hint: `dispatch goal set ${ref} --status paused keeps it for later, with its objective if it is new`,
      });
    // A goal that is set over a finished one goes on with its used tokens (facts F31).
    if (before?.status === "complete" && change.objective !== undefined)
      await agent.clearGoal(lane.thread_id);
    const put = () => putGoal(deps, lane.thread_id, change);
    await (begins ? beginning(deps, opened, put) : put());
    return storeGoal(deps, ref, await agent.readGoal(lane.thread_id));
  });
}

/** Its first turn counts as running from now on, so that no other one takes its place. It follows the turn that runs. */
async function beginning(
  { live, clock, store }: CoreDeps,
  { lane: { thread_id, ref, cwd } }: Opened,
  put: () => Promise<void>,
): Promise<void> {
  live.goalStarts.get(thread_id)?.cancel();
  const start = { ref, cwd, cancel: () => {} };
  live.goalStarts.set(thread_id, start);
  const lookAgain = () => {
    start.cancel = clock.after(limits.codex.goalStartMs, () => {
      if (store.turns.running(ref).length > 0) lookAgain();
      else live.goalStarts.delete(thread_id);
    });
  };
  lookAgain();
  await put().catch((thrown: unknown) => {
    start.cancel();
    live.goalStarts.delete(thread_id);
    throw thrown;
  });
}

/** Succeeds also when Codex carried the call out but answered too late. */
export function putGoal({ agent }: CoreDeps, threadId: string, change: GoalChange): Promise<void> {
  const { objective, status, token_budget } = change;
  return confirmed(agent.setGoal(threadId, change), async () => {
    const goal = await agent.readGoal(threadId);
    return (
      goal !== null &&
      (objective === undefined || goal.objective === objective) &&
      (status === undefined || goal.status === status) &&
      (token_budget === undefined || goal.token_budget === token_budget)
    );
  });
}

export async function clearGoal(deps: CoreDeps, ref: Ref): Promise<void> {
  const { store, agent } = deps;
  const lane = store.lanes.get(ref);
  refuseUnwritable(lane);
  await agent.ready(limits.codex.readyWaitMs);
  await deps.locked(ref, async () => {
    if (lane.thread_id !== null) await agent.clearGoal(lane.thread_id);
    storeGoal(deps, ref, null);
  });
}

function storeGoal({ store, journal }: CoreDeps, ref: Ref, goal: GoalFacts | null): GoalFacts | null {
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
