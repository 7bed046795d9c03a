/** `done failed idle waiting attention` and the moment a turn ends: each defined once, over a lane's facts. */

import { limits } from "../../base/limits.ts";
import { type Condition, type Verdict, verdicts } from "../../contract/words.ts";
import type { LaneFacts, Turn } from "../model/ports/rows.ts";
import { limitFor } from "../state/lane.ts";

/** The turn that `turn` waits for: the one running when the wait began, else the next after `last`. */
export interface TurnMark {
  running: string | null;
  last: string | null;
}

export function markTurn({ latest }: LaneFacts): TurnMark {
  return { running: latest?.status === "in_progress" ? latest.turn_id : null, last: latest?.turn_id ?? null };
}

/** `turn`: the one that is waited for, where it is known; `hasWorked`: it was ever given a message; `agents`: how many sub-agents work. */
export function holds(
  condition: Condition,
  facts: LaneFacts,
  told: { turn: Turn | null; hasWorked: boolean; isBlocked: boolean; agents: number; retryingMs: number },
): boolean {
  const { latest } = facts;
  const runs = latest?.status === "in_progress";
  switch (condition) {
    case "idle":
      return !runs;
    case "done":
      return isSettled(facts) && told.agents === 0 && (latest !== null || told.hasWorked);
    case "waiting":
      return facts.requests.length > 0;
    case "attention":
      return (
        facts.requests.length > 0 ||
        facts.unsure > 0 ||
        facts.lane.hold_reason !== null ||
        told.isBlocked ||
        facts.lane.goal?.interrupted === true ||
        (!runs && latest?.status === "failed" && !goesOn(facts)) ||
        isStuck(latest, told.retryingMs)
      );
    case "turn":
      return told.turn !== null && told.turn.status !== "in_progress";
  }
}

/** A usage limit cut the turn, and when it ends what waits runs without anybody's hand. */
function goesOn({ lane, latest, usage_limits }: LaneFacts): boolean {
  const isCut = latest?.error?.kind === "usageLimitExceeded" && limitFor(lane, usage_limits) !== null;
  return isCut && lane.pending > 0 && lane.hold_reason === null;
}

/** Codex retries for ever when its provider is out of reach (measured); nothing kills such a turn, so it must be seen. */
function isStuck(turn: Turn | null, retryingMs: number): boolean {
  return (
    turn?.status === "in_progress" &&
    turn.retrying_since !== null &&
    retryingMs > limits.thread.retryingAttentionMs
  );
}

/** Nothing runs, nothing is on its way, and what is queued is held. */
function isSettled(facts: LaneFacts): boolean {
  const isQuiet =
    facts.latest?.status !== "in_progress" && facts.in_flight === 0 && facts.lane.setup === "ready";
  return isQuiet && (facts.lane.pending === 0 || facts.lane.hold_reason !== null);
}

/** A question ends a wait for anything that cannot happen before it is answered. */
export function needsAnswer(condition: Condition, facts: LaneFacts): boolean {
  return facts.requests.length > 0 && (condition === "done" || condition === "turn" || condition === "idle");
}

/** Nothing that waits can happen before somebody acts. */
export function isStopped(condition: Condition, facts: LaneFacts, isBlocked: boolean): boolean {
  const runs = facts.latest?.status === "in_progress";
  return isBlocked && !runs && (condition === "done" || condition === "turn");
}

export function verdictOf(condition: Condition, facts: LaneFacts, turn: Turn | null): Verdict {
  if (condition === "waiting" || condition === "attention") return "ok";
  if (facts.unsure > 0) return "unsure";
  if (needsAnswer(condition, facts)) return "needs_answer";
  const status = (condition === "turn" ? turn : facts.latest)?.status;
  return condition !== "idle" && (status === "failed" || status === "interrupted") ? "turn_failed" : "ok";
}

export function worst(all: readonly Verdict[]): Verdict {
  return verdicts[Math.max(0, ...all.map((verdict) => verdicts.indexOf(verdict)))]!;
}
