/** What keeps an automation from firing now, and what ends it. */
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import { isTerminal } from "../model/message.ts";
import type { Action, Automation } from "../model/ports/automation.ts";
import { writeLock } from "../state/lane.ts";
import { causeOf } from "./cause.ts";
import type { Occurrence } from "./effect.ts";

/** What is not safe to go on with: it is paused, and says why. */
export function stopReason(
  { store, clock }: CoreDeps,
  automation: Automation,
  { event }: Occurrence,
): string | null {
  const { lane, id } = automation;
  const target = lane === null ? undefined : store.lanes.find(lane);
  if (lane !== null && !target) return `thread ${lane} is not managed any more`;
  if (target && automation.action.kind !== "wake" && writeLock(target) !== null)
    return `thread ${lane} takes nothing: ${writeLock(target)}`;
  if (event === null) return null;
  if ((causeOf(store, event)?.depth ?? 0) >= limits.automation.depthMax)
    return `a loop: ${limits.automation.depthMax} messages caused each other`;
  const { rateMax, rateWindowMs } = limits.automation;
  const before = store.automations.firings(id, rateMax)[rateMax - 1];
  return before && before.at > clock.now() - rateWindowMs
    ? `it fired ${rateMax} times within ${rateWindowMs / 1000} s`
    : null;
}

/** Codex is asked for it, which takes a while. */
function isBeside({ kind }: Action): boolean {
  return kind === "new" || kind === "stop";
}

/** A guard of its own that keeps it from firing now. */
export function refusalOf({ store, clock }: CoreDeps, automation: Automation): string | null {
  const { id, guards, lane, fired, last_fired_at, last_receipt } = automation;
  const open = isBeside(automation.action) ? store.automations.countOpen(id) : 0;
  if (open >= limits.automation.openMax) return `${open} of its firings wait for Codex`;
  if (guards.max_fires !== null && fired + open >= guards.max_fires)
    return `it fires ${guards.max_fires} times at most, and Codex has not ended ${open} of them`;
  if (
    guards.min_interval !== null &&
    last_fired_at !== null &&
    clock.now() - last_fired_at < guards.min_interval
  )
    return `it fired less than ${guards.min_interval / 1000} s ago`;
  if (guards.dedupe && last_receipt !== null) {
    const last = store.messages.find(last_receipt);
    if (last && !isTerminal(last.state))
      return `what it sent last has not ended: ${last_receipt} is ${last.state}`;
  }
  if (guards.idle_only && lane !== null) {
    const facts = store.lanes.getFacts(lane);
    if (facts.latest?.status === "in_progress" || facts.in_flight > 0 || facts.lane.pending > 0)
      return `thread ${lane} is busy`;
  }
  return null;
}
