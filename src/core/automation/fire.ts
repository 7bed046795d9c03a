/**
 * One firing: its row, what it does and the next moment are one transaction, and its slot is unique in the registry. So
 * whatever dies and whenever, a moment fires once or not at all, and says so.
 */
import { iso } from "../../base/clock.ts";
import { DispatchError } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { FiringOutcome } from "../../contract/words.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Automation, Guards } from "../model/ports/automation.ts";
import type { Ref } from "../model/ports/rows.ts";
import { type Actions, byWords, type Effect, type Occurrence, perform, textOf } from "./effect.ts";
import { refusalOf, stopReason } from "./guards.ts";
import { isClock, nextSlot } from "./schedule.ts";

/** The moments of an interval may come again when the clock is set back; those of a cron are a time of a day. */
export function slotOf({ when, fired, failures }: Automation, at: number): string {
  return when.kind === "interval" ? `${iso(at)} ${fired}.${failures}` : iso(at);
}

export async function fire(
  deps: CoreDeps,
  actions: Actions,
  automation: Automation,
  occurrence: Occurrence,
): Promise<void> {
  const { action } = automation;
  const made =
    action.kind === "new" && (occurrence.skip ?? refusalOf(deps, automation)) === null
      ? await attempt(() =>
          actions.create({
            preset: action.preset,
            name: `${textOf(deps, automation, occurrence, action.name)} ${occurrence.slot.slice(0, limits.automation.slotCharsInTitle)}`,
            text: textOf(deps, automation, occurrence, action.text),
            key: `${automation.id}-${occurrence.slot}`,
            by: byWords(automation),
          }),
        )
      : null;
  const outcome = deps.journal.commit((change) =>
    commit(deps, actions, change, automation, occurrence, made),
  );
  if (outcome === "fired" && action.kind === "stop" && automation.lane !== null)
    await actions.stop(automation.lane).catch((thrown: unknown) => {
      deps.log.warn("a trigger could not stop a turn", { automation: automation.id, thrown });
    });
}

/** Several that wait for nothing, in one transaction: what one of them throws undoes all, and each is tried alone then. */
export function fireTogether(
  deps: CoreDeps,
  actions: Actions,
  due: readonly { automation: Automation; occurrence: Occurrence }[],
): void {
  deps.journal.commit((change) => {
    for (const { automation, occurrence } of due) commit(deps, actions, change, automation, occurrence, null);
  });
}

async function attempt(make: () => Promise<Ref>): Promise<Effect> {
  try {
    return { lane: await make() };
  } catch (thrown) {
    if (thrown instanceof DispatchError) return { error: thrown };
    throw thrown;
  }
}

/** Undefined: it is not active any more, or this slot fired before. */
function commit(
  deps: CoreDeps,
  actions: Actions,
  change: Change,
  known: Automation,
  occurrence: Occurrence,
  made: Effect | null,
): FiringOutcome | undefined {
  const { store } = deps;
  const automation = store.automations.find(known.id);
  if (automation?.state !== "active") return undefined;
  const advance = isClock(automation.when)
    ? { slot_at: occurrence.next, due_at: dueAt(automation.guards, occurrence.next, known.id) }
    : {};
  const { slot, event, about, missed } = occurrence;
  if (store.automations.hasFired(automation.id, slot)) {
    store.automations.set(automation.id, advance);
    return undefined;
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
    return "skipped";
  }
  const refusal = occurrence.skip ?? refusalOf(deps, automation);
  const done: Effect =
    refusal === null ? (made ?? perform(deps, actions, change, automation, occurrence)) : {};
  const outcome = refusal !== null ? "skipped" : done.error ? "failed" : "fired";
  const receipt = done.receipt ?? null;
  const reason = refusal ?? done.error?.message ?? missedWords(missed);
  store.automations.fire({
    ...base,
    outcome,
    reason,
    slots: 1 + missed,
    receipt,
    lane: done.lane ?? automation.lane,
  });
  const failures =
    outcome === "failed" ? automation.failures + 1 : outcome === "fired" ? 0 : automation.failures;
  const fired = automation.fired + (outcome === "fired" ? 1 : 0);
  store.automations.set(automation.id, {
    ...advance,
    ...(outcome === "failed" && "due_at" in advance
      ? { due_at: backOff(advance.due_at, change.now, failures) }
      : {}),
    fired,
    failures,
    ...(outcome === "fired" ? { last_fired_at: change.now, last_receipt: receipt } : {}),
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
  if (failures >= limits.automation.failuresMax)
    pause(deps, change, automation, `it failed ${failures} times in a row: ${reason}`);
  else endIfOver(deps, change, { ...automation, fired }, occurrence);
  return outcome;
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

function endIfOver({ store }: CoreDeps, change: Change, automation: Automation, { next }: Occurrence): void {
  const { guards, when, fired } = automation;
  const reason =
    guards.max_fires !== null && fired >= guards.max_fires
      ? `it fired ${fired} ${fired === 1 ? "time" : "times"}, as often as it may`
      : isClock(when) && next === null
        ? "there is no later moment"
        : guards.until !== null && (next ?? change.now) > guards.until
          ? "its last moment is over"
          : null;
  if (reason === null) return;
  store.automations.set(automation.id, { state: "ended", reason, due_at: null, updated_at: change.now });
}

/** Active from now on: its next moment is counted from here. */
export function startAt(automation: Automation, now: number): Pick<Automation, "slot_at" | "due_at"> {
  const slot = nextSlot(automation.when, now, automation.created_at);
  return { slot_at: slot, due_at: dueAt(automation.guards, slot, automation.id) };
}
