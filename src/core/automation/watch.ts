/** What an event of the log means to those who watch its thread. Events are occurrences; some conditions are states. */
import { errorMessage } from "../../base/error.ts";
import { eventKinds, kindsOf } from "../../contract/events.ts";
import type { WatchedCondition } from "../../contract/words.ts";
import { holdsNow, isConfirmed } from "../events/wait.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { EventRow } from "../model/events.ts";
import type { Automation, Watched, When } from "../model/ports/automation.ts";
import type { LaneFacts, Ref } from "../model/ports/rows.ts";
import { hasBadAgents } from "../state/subagents.ts";

/** `hit`: it fires. `arm`: its condition does not hold any more. `hold`: of several threads this one is ready. */
export type Meaning = "hit" | "hold" | "arm" | "none";

/** The kinds that a condition is looked at after. A state is looked at after each of them. */
const looksAfter: Record<WatchedCondition, readonly string[]> = {
  failed: ["turn.failed", "thread.agents"],
  waiting: ["request.opened"],
  idle: ["turn."],
  done: [
    "turn.",
    "message.done",
    "message.failed",
    "message.cancelled",
    "message.unsure",
    "queue.held",
    "request.",
    "thread.agents",
    "thread.ready",
    "goal.changed",
  ],
  attention: [
    "turn.",
    "request.",
    "message.failed",
    "message.unsure",
    "message.delivered",
    "queue.held",
    "queue.released",
    "thread.blocked",
    "thread.unblocked",
    "goal.changed",
    "limit.",
  ],
};

/** The kinds of events that it looks at. */
export function kindsFor(when: When): readonly string[] {
  if (when.kind === "event") return kindsOf(when.kinds as Parameters<typeof kindsOf>[0]);
  if (when.kind === "idle_for") return kindsOf(["turn.*"]);
  if (when.kind !== "condition") return [];
  const prefixes = when.conditions.flatMap((condition) => looksAfter[condition]);
  return eventKinds.filter((kind) => prefixes.some((prefix) => kind.startsWith(prefix)));
}

/** `facts`: of the thread of the event, read only where they are needed. */
export function meaningOf(
  deps: CoreDeps,
  { when }: Automation,
  watched: Watched,
  event: EventRow,
  facts: () => LaneFacts | undefined,
): Meaning {
  if (when.kind === "event") return kindsFor(when).includes(event.kind) ? "hit" : "none";
  if (when.kind !== "condition") return "none";
  const conditions = when.conditions.filter((condition) =>
    looksAfter[condition].some((prefix) => event.kind.startsWith(prefix)),
  );
  // The same event again: the daemon died before it was done with it.
  const isKnown = watched.holds && watched.seq !== event.seq;
  // After a wake for all of them each must come to hold again. What occurs does so each time; a state first ends.
  const isSpent = watched.holds && watched.seq === null;
  const ready = when.all ? "hold" : "hit";
  if (conditions.some((condition) => hasOccurred(condition, event, facts)))
    return when.all && isKnown && !isSpent ? "none" : ready;
  const states = conditions.filter(isState);
  // What runs again is another time that it is done; a context that waits for a moment is none.
  const canEnd = states.includes("attention");
  if (event.kind === "turn.started" && !canEnd) return watched.holds ? "arm" : "none";
  if (states.length === 0 || (isKnown && !canEnd)) return "none";
  const now = facts();
  const isAny = (some: readonly WatchedCondition[]) =>
    now !== undefined && some.some((condition) => isState(condition) && holdsNow(deps, condition, now));
  // Of several conditions another one may hold still, though this event says nothing of it.
  if (!isAny(states)) return watched.holds && canEnd && !isAny(when.conditions) ? "arm" : "none";
  return isKnown ? "none" : ready;
}

/** The others are occurrences. */
function isState(condition: WatchedCondition): condition is "done" | "idle" | "attention" {
  return condition !== "failed" && condition !== "waiting";
}

function hasOccurred(
  condition: WatchedCondition,
  event: EventRow,
  facts: () => LaneFacts | undefined,
): boolean {
  if (condition === "failed")
    return (
      event.kind === "turn.failed" || (event.kind === "thread.agents" && event.data["reason"] === "failed")
    );
  if (condition !== "waiting" || event.kind !== "request.opened") return false;
  // Answered meanwhile, it waits for nobody.
  return facts()?.requests.some(({ id }) => id === event.data["request"]) === true;
}

/** Does what is waited for hold of this thread now? Asked when a subscription begins. */
export function holdsAlready(deps: CoreDeps, when: When, facts: LaneFacts): boolean {
  if (when.kind !== "condition") return false;
  return when.conditions.some((condition) =>
    condition === "failed"
      ? facts.latest?.status === "failed" ||
        (hasBadAgents(facts.latest) && facts.lane.hold_reason === "failed")
      : holdsNow(deps, condition === "waiting" ? "waiting" : condition, facts),
  );
}

/**
 * That nothing runs can be untrue by now, so Codex is asked before it is believed. Where Codex does not answer, the
 * registry is believed: a wake that is late by a turn is better than one that is lost.
 */
export async function isStillSo(deps: CoreDeps, { when }: Automation, ref: Ref): Promise<boolean> {
  const isOfIdle =
    when.kind === "idle_for" ||
    (when.kind === "condition" && when.conditions.some((one) => one === "done" || one === "idle"));
  if (!isOfIdle) return true;
  return isConfirmed(deps, { ref }).catch((thrown: unknown) => {
    deps.log.debug("whether a thread is idle could not be asked", {
      lane: ref,
      reason: errorMessage(thrown),
    });
    return true;
  });
}
