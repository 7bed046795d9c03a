/** The conditions `done idle waiting attention turn`, each defined once over the facts of a lane. */

import { limits } from "../../base/limits.ts";
import type { Condition, Verdict } from "../../contract/words.ts";
import type { LaneFacts, Turn } from "../model/ports/rows.ts";
import { isBetweenGoalTurns } from "../state/goal.ts";
import { limitFor } from "../state/lane.ts";
import { hasBadAgents } from "../state/subagents.ts";

/** The turn that `turn` waits for: the one that ran at the start of the wait, else the next after `last`. */
export interface TurnMark {
  running: string | null;
  last: string | null;
}

export function markTurn({ latest }: LaneFacts): TurnMark {
  return { running: latest?.status === "in_progress" ? latest.turn_id : null, last: latest?.turn_id ?? null };
}

/**
 * `turn`: the turn to wait for, when it is known; `hasWorked`: the lane once had a message or a turn; `agents`: how
 * many sub-agents work.
 */
export function holds(
  condition: Condition,
  facts: LaneFacts,
  state: { turn: Turn | null; hasWorked: boolean; isBlocked: boolean; agents: number; retryingMs: number },
): boolean {
  const { latest } = facts;
  const runs = latest?.status === "in_progress";
  switch (condition) {
    case "idle":
      return !runs;
    case "done":
      return isSettled(facts) && state.agents === 0 && (latest !== null || state.hasWorked);
    case "waiting":
      return facts.requests.length > 0;
    case "attention":
      return (
        facts.requests.length > 0 ||
        facts.unsure > 0 ||
        facts.lane.hold_reason !== null ||
        state.isBlocked ||
        facts.lane.goal?.interrupted === true ||
        (!runs && latest?.status === "failed" && !continuesAfterLimit(facts)) ||
        isStuck(latest, state.retryingMs)
      );
    case "turn":
      return state.turn !== null && state.turn.status !== "in_progress";
  }
}

/** A usage limit cut the turn, and at the end of the limit the queue goes on by itself. */
function continuesAfterLimit({ lane, latest, usage_limits }: LaneFacts): boolean {
  const isCut = latest?.error?.kind === "usageLimitExceeded" && limitFor(lane, usage_limits) !== null;
  return isCut && lane.pending > 0 && lane.hold_reason === null;
}

/**
 * Codex retries without end when its provider is out of reach (facts F20). Nothing ends such a turn, so it needs
 * attention.
 */
function isStuck(turn: Turn | null, retryingMs: number): boolean {
  return (
    turn?.status === "in_progress" &&
    turn.retrying_since !== null &&
    retryingMs > limits.thread.retryingAttentionMs
  );
}

/** Nothing runs, nothing is in flight, no goal goes on, and the queue is empty or held. */
function isSettled(facts: LaneFacts): boolean {
  const isQuiet =
    facts.latest?.status !== "in_progress" &&
    facts.in_flight === 0 &&
    facts.lane.setup === "ready" &&
    !isBetweenGoalTurns(facts.lane, facts.latest);
  return isQuiet && (facts.lane.pending === 0 || facts.lane.hold_reason !== null);
}

/** A request ends a wait for anything that cannot happen before its answer. */
export function needsAnswer(condition: Condition, facts: LaneFacts): boolean {
  return facts.requests.length > 0 && (condition === "done" || condition === "turn" || condition === "idle");
}

/** What is waited for cannot happen before a person acts. */
export function isStopped(condition: Condition, facts: LaneFacts, isBlocked: boolean): boolean {
  const runs = facts.latest?.status === "in_progress";
  return isBlocked && !runs && (condition === "done" || condition === "turn");
}

export function verdictOf(condition: Condition, facts: LaneFacts, turn: Turn | null): Verdict {
  if (condition === "waiting" || condition === "attention") return "ok";
  if (facts.unsure > 0) return "unsure";
  if (needsAnswer(condition, facts)) return "needs_answer";
  const status = (condition === "turn" ? turn : facts.latest)?.status;
  const isBad = status === "failed" || status === "interrupted";
  if (condition !== "idle" && isBad) return "turn_failed";
  return condition === "done" && hasBadAgents(facts.latest) ? "turn_failed" : "ok";
}
