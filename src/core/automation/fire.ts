/**
 * One firing: its row, what it does and the next moment are one transaction, and its slot is unique in the registry. So
 * whatever dies and whenever, a moment fires once or not at all, and says so.
 */
import { iso } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Automation, Firing, Guards } from "../model/ports/automation.ts";
import type { Ref } from "../model/ports/rows.ts";
import { type Actions, type Effect, type Occurrence, perform } from "./effect.ts";
import { refusalOf, stopReason } from "./guards.ts";
import { isClock, nextSlot } from "./schedule.ts";

/** The moments of an interval may come again when the clock is set back; those of a cron are a time of a day. */
export function slotOf({ when, fired, failures }: Automation, at: number): string {
  return when.kind === "interval" ? `${iso(at)} ${fired}.${failures}` : iso(at);
}

export function fire(deps: CoreDeps, actions: Actions, automation: Automation, occurrence: Occurrence): void {
  fireTogether(deps, actions, [{ automation, occurrence }]);
}

/** Several in one transaction: what one of them throws undoes all, and each is tried alone then. */
export function fireTogether(
  deps: CoreDeps,
  actions: Actions,
  due: readonly { automation: Automation; occurrence: Occurrence }[],
): void {
  deps.journal.commit((change) => {
    for (const { automation, occurrence } of due) commit(deps, actions, change, automation, occurrence);
  });
}

/** Nothing where it is not active any more, or this slot fired before. */
function commit(
  deps: CoreDeps,
  actions: Actions,
  change: Change,
  known: Automation,
  occurrence: Occurrence,
): void {
  const { store } = deps;
  const automation = store.automations.find(known.id);
  if (automation?.state !== "active") return;
  const advance = isClock(automation.when)
    ? { slot_at: occurrence.next, due_at: dueAt(automation.guards, occurrence.next, known.id) }
    : {};
  const { slot, event, about, missed } = occurrence;
  if (store.automations.hasFired(automation.id, slot)) {
    store.automations.set(automation.id, advance);
    return;
  }
  if (automation.guards.until !== null && occurrence.moment > automation.guards.until) {
    end(deps, change, automation, "its last moment is over");
    return;
  }
  const base = { automation: automation.id, slot, at: change.now, seq: event?.seq ?? null };
  const stop = stopReason(deps, automation, occurrence);
  if (stop !== null) {
    store.automations.fire({
      ...base,
      outcome: "skipped",
      reason: stop,
      slots: 1 + missed,
      receipt: null,
      lane: about,
    });
    pause(deps, change, automation, stop);
    return;
  }
  const refusal = occurrence.skip ?? refusalOf(deps, automation);
  const done: Effect = refusal === null ? perform(deps, actions, change, automation, occurrence) : {};
  const outcome = refusal !== null ? "skipped" : done.error ? "failed" : done.work ? "open" : "fired";
  const receipt = done.receipt ?? null;
  const reason = refusal ?? done.error?.message ?? missedWords(missed);
  const row = { ...base, outcome, reason, slots: 1 + missed, receipt, lane: automation.lane } as const;
  store.automations.fire(row, done.work);
  store.automations.set(automation.id, {
    ...advance,
    ...(outcome === "fired" || outcome === "open"
      ? { last_fired_at: change.now, last_receipt: receipt }
      : {}),
    updated_at: change.now,
  });
  if (outcome !== "open") report(deps, change, row, about);
}

/** What the end of a firing means to its automation, and the event that says it. */
export function report(deps: CoreDeps, change: Change, firing: Firing, about: Ref | null): void {
  const { store } = deps;
  const { slot, outcome, reason, receipt } = firing;
  const automation = store.automations.find(firing.automation);
  if (!automation) return;
  const failures =
    outcome === "failed" ? automation.failures + 1 : outcome === "fired" ? 0 : automation.failures;
  const fired = automation.fired + (outcome === "fired" ? 1 : 0);
  store.automations.set(automation.id, {
    ...(outcome === "failed" && isClock(automation.when)
      ? { due_at: backOff(automation.due_at, change.now, failures) }
      : {}),
    fired,
    failures,
    updated_at: change.now,
  });
  change.append({
    kind: "trigger.fired",
    lane: automation.lane ?? about,
    receipt,
    data: {
      trigger: automation.id,
      face: automation.face,
      name: automation.name,
      slot,
      outcome,
      reason: reason === null ? null : reason.slice(0, limits.event.textCharsMax),
      about,
    },
  });
  if (failures >= limits.automation.failuresMax && automation.state === "active")
    pause(deps, change, automation, `it failed ${failures} times in a row: ${reason}`);
  else endIfOver(deps, change, { ...automation, fired });
}

function missedWords(missed: number): string | null {
  if (missed === 0) return null;
  const many = missed >= limits.automation.slotsMax - 1 ? "or more " : "";
  return `${missed} ${many}earlier ${missed === 1 ? "moment" : "moments"} passed while nobody looked`;
}

function dueAt({ jitter }: Guards, slot: number | null, id: string): number | null {
  if (slot === null) return null;
  // The same for one moment, whenever it is asked: a restart does not draw again.
  const share = (Bun.hash.crc32(`${id} ${slot}`) % 1000) / 1000;
  return slot + Math.floor(jitter * share);
}

function backOff(due: number | null, now: number, failures: number): number | null {
  const { backoffFirstMs, backoffMaxMs } = limits.automation;
  return due === null
    ? null
    : Math.max(due, now + Math.min(backoffFirstMs * 2 ** (failures - 1), backoffMaxMs));
}

/** Loudly: its row says why, and an event says it. */
export function pause(
  { store, log }: CoreDeps,
  change: Change,
  automation: Automation,
  reason: string,
): void {
  store.automations.set(automation.id, { state: "paused", reason, due_at: null, updated_at: change.now });
  change.append({
    kind: "trigger.paused",
    lane: automation.lane,
    data: {
      trigger: automation.id,
      face: automation.face,
      name: automation.name,
      reason: reason.slice(0, limits.event.textCharsMax),
    },
  });
  log.warn("what acts by itself is paused", { automation: automation.id, name: automation.name, reason });
}

function endIfOver(deps: CoreDeps, change: Change, automation: Automation): void {
  const { guards, when, fired, slot_at } = automation;
  const reason =
    guards.max_fires !== null && fired >= guards.max_fires
      ? `it fired ${fired} ${fired === 1 ? "time" : "times"}, as often as it may`
      : isClock(when) && slot_at === null
        ? "there is no later moment"
        : guards.until !== null && ((isClock(when) && slot_at) || change.now) > guards.until
          ? "its last moment is over"
          : null;
  if (reason !== null) end(deps, change, automation, reason);
}

function end({ store }: CoreDeps, change: Change, { id }: Automation, reason: string): void {
  store.automations.set(id, { state: "ended", reason, due_at: null, updated_at: change.now });
}

/** Active from now on: its next moment is counted from here. */
export function startAt(automation: Automation, now: number): Pick<Automation, "slot_at" | "due_at"> {
  const slot = nextSlot(automation.when, now, automation.created_at);
  return { slot_at: slot, due_at: dueAt(automation.guards, slot, automation.id) };
}
