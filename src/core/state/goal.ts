/** Where a goal stands between the turns that Codex starts for it. */
import type { Lane, Turn } from "../model/ports/rows.ts";
import type { GoalFacts } from "../model/ports/thread.ts";

/** Codex goes on with an active goal after each turn that was completed, and after no other (facts T10). */
export function isBetweenGoalTurns(lane: Lane, latest: Turn | null): boolean {
  const { source, archived_at, gone_at, goal } = lane;
  const isOpen = source === "own" && archived_at === null && gone_at === null;
  return isOpen && goal?.status === "active" && latest?.status === "completed";
}

/** The goal of a thread that Codex has unloaded: nothing goes on with it. */
export function cutGoal(goal: GoalFacts | null): GoalFacts | null {
  return goal?.status === "active" ? { ...goal, status: "paused", interrupted: true } : goal;
}

/** A goal that a thread was given when it was made is stored as paused until it begins. */
export function goalWaits({ goal_setup, hold_reason }: Lane): string | null {
  if (goal_setup === null) return null;
  return hold_reason === null ? "it begins when a turn may start" : "it begins when the queue is released";
}
