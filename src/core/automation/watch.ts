/** What an event of the log means to those who watch its thread. Events are occurrences; some conditions are states. */
import { kindsOf } from "../../contract/events.ts";
import type { WatchedCondition } from "../../contract/words.ts";
import { holdsNow } from "../events/wait.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { EventRow } from "../model/events.ts";
import type { Automation, Watched, When } from "../model/ports/automation.ts";
import type { LaneFacts, Ref } from "../model/ports/rows.ts";

/** `hit`: it fires. `arm`: its condition does not hold any more. `hold`: of several threads this one is ready. */
export type Meaning = "hit" | "hold" | "arm" | "none";

/** The kinds that a condition is looked at after. A state is looked at after each of them. */
const looksAfter: Record<WatchedCondition, readonly string[]> = {
  failed: ["turn.failed"],
  waiting: ["request.opened"],
  idle: ["turn."],
  done: ["turn.", "message.", "queue.", "request.", "thread.agents", "thread.ready", "goal.changed"],
  attention: [
    "turn.",
    "request.",
    "message.",
    "queue.",
    "thread.blocked",
    "thread.unblocked",
    "goal.changed",
    "limit.",
  ],
};

export function meaningOf(deps: CoreDeps, { when }: Automation, watched: Watched, event: EventRow): Meaning {
  if (when.kind === "event")
    return kindsOf(when.kinds as Parameters<typeof kindsOf>[0]).includes(event.kind) ? "hit" : "none";
  if (when.kind !== "condition" || event.lane === null) return "none";
  const conditions = when.conditions.filter((condition) =>
    looksAfter[condition].some((prefix) => event.kind.startsWith(prefix)),
  );
  if (conditions.length === 0) return "none";
  const facts = deps.store.lanes.findFacts(event.lane as Ref);
  if (!facts) return "none";
  const isSo = conditions.some((condition) => isTrue(deps, condition, facts, event));
  // What ran again is another time that it is done.
  const isAgain = event.kind === "turn.started";
  // A context that waits for a moment is no work: only a turn makes it another time.
  if (!isSo) return watched.holds && (isAgain || when.conditions.includes("attention")) ? "arm" : "none";
  if (isAgain) return "none";
  // The same event again: the daemon died before it was done with it.
  const isKnown = watched.holds && watched.seq !== event.seq;
  if (isOccurrence(conditions, event)) return when.all && isKnown ? "none" : ready(when);
  return isKnown ? "none" : ready(when);
}

function ready({ all }: Extract<When, { kind: "condition" }>): Meaning {
  return all ? "hold" : "hit";
}

/** Does what is waited for hold of this thread now? Asked when a subscription begins. */
export function holdsAlready(deps: CoreDeps, when: When, facts: LaneFacts): boolean {
  if (when.kind !== "condition") return false;
  return when.conditions.some((condition) =>
    condition === "failed"
      ? facts.latest?.status === "failed"
      : holdsNow(deps, condition === "waiting" ? "waiting" : condition, facts),
  );
}

function isTrue(deps: CoreDeps, condition: WatchedCondition, facts: LaneFacts, event: EventRow): boolean {
  switch (condition) {
    case "failed":
      return event.kind === "turn.failed";
    case "waiting":
      // Answered meanwhile, it waits for nobody.
      return facts.requests.some(({ id }) => id === event.data["request"]);
    default:
      return holdsNow(deps, condition, facts);
  }
}

function isOccurrence(conditions: readonly WatchedCondition[], event: EventRow): boolean {
  return (
    (event.kind === "turn.failed" && conditions.includes("failed")) ||
    (event.kind === "request.opened" && conditions.includes("waiting"))
  );
}

/** That nothing runs can be untrue by now: Codex is asked before it is believed. */
export function isOfIdle({ when }: Automation): boolean {
  return when.kind === "condition" && when.conditions.some((one) => one === "done" || one === "idle");
}
