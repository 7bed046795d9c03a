/** What the clock says: moments that are due, those that were missed, and what held when it was subscribed to. */
import { errorMessage, isStorage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { macrotask } from "../../base/macrotask.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Automation } from "../model/ports/automation.ts";
import type { Ref } from "../model/ports/rows.ts";
import type { Actions, Occurrence } from "./effect.ts";
import { fire, fireTogether, slotOf } from "./fire.ts";
import { dueSlots, isClock } from "./schedule.ts";
import { wakeText } from "./wake.ts";
import { isStillSo } from "./watch.ts";

/** Fires all that is due. `failed` is called with what one automation throws: the others go on. */
export function clockWatch(
  deps: CoreDeps,
  actions: Actions,
  failed: (automation: Automation, thrown: unknown) => void,
): (stop: AbortSignal) => Promise<void> {
  const { store, clock, journal, log } = deps;

  async function lookAtClock(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const due = store.automations.due(clock.now(), limits.automation.batchMax);
      for (let at = 0; at < due.length && !stop.aborted; at += limits.automation.togetherMax) {
        await some(due.slice(at, at + limits.automation.togetherMax));
        // Callers wait meanwhile.
        await macrotask();
      }
      if (due.length < limits.automation.batchMax) return;
    }
  }

  async function some(due: readonly Automation[]): Promise<void> {
    const simple = due.flatMap((automation) => {
      const occurrence = simpleOccurrence(automation);
      return occurrence ? [{ automation, occurrence }] : [];
    });
    const alone = new Set(due);
    try {
      fireTogether(deps, actions, simple);
      for (const { automation } of simple) alone.delete(automation);
    } catch (thrown) {
      if (isStorage(thrown)) throw thrown;
      log.warn("triggers that are due together are fired one by one", { reason: errorMessage(thrown) });
    }
    for (const one of alone) {
      try {
        await onDue(one);
      } catch (thrown) {
        failed(one, thrown);
      }
    }
  }

  /** Of one moment of the clock: most of them. */
  function simpleOccurrence(one: Automation): Occurrence | undefined {
    if (!isClock(one.when)) return undefined;
    const slot = one.slot_at ?? one.due_at!;
    const { fire: slots, missed, next } = dueSlots(one.when, slot, clock.now(), one.created_at, one.guards);
    const [time] = slots;
    if (time === undefined || slots.length > 1) return undefined;
    return { slot: slotOf(one, time), moment: time, event: null, about: one.lane, missed, next };
  }

  async function onDue(one: Automation): Promise<void> {
    const slot = one.slot_at ?? one.due_at!;
    if (one.when.kind === "idle_for") {
      const [watched] = store.automations.watched(one.id);
      const about = (watched?.lane as Ref | undefined) ?? null;
      const isIdle =
        about === null || (store.turns.running(about).length === 0 && (await isStillSo(deps, one, about)));
      if (isIdle)
        fire(deps, actions, one, {
          slot: slotOf(one, slot),
          moment: slot,
          event: null,
          about,
          missed: 0,
          next: null,
        });
      passed(one);
      return;
    }
    if (one.when.kind === "condition") return begun(one);
    const { fire: slots, missed, next } = dueSlots(one.when, slot, clock.now(), one.created_at, one.guards);
    if (slots.length === 0) {
      const occurrence = {
        slot: slotOf(one, slot),
        moment: slot,
        event: null,
        about: one.lane,
        missed: missed - 1,
        next,
      };
      fire(deps, actions, one, { ...occurrence, skip: "it was missed while nobody looked" });
      return;
    }
    for (const [at, time] of slots.entries()) {
      const now = store.automations.find(one.id);
      if (now?.state !== "active") return;
      fire(deps, actions, now, {
        slot: slotOf(now, time),
        moment: time,
        event: null,
        about: one.lane,
        missed: at === 0 ? missed : 0,
        // Those that are to be caught up are due again at once, should this one be the last thing that happens.
        next: slots[at + 1] ?? next,
      });
    }
  }

  /** Unless another moment was set meanwhile. */
  function passed({ id, slot_at }: Automation): void {
    journal.note(() => {
      if (store.automations.find(id)?.slot_at === slot_at)
        store.automations.set(id, { slot_at: null, due_at: null });
    });
  }

  /** What held when it was subscribed to, or resumed. */
  async function begun(one: Automation): Promise<void> {
    const { when } = one;
    if (when.kind !== "condition") return;
    const all = store.automations.watched(one.id);
    const held: Ref[] = [];
    for (const { lane, holds, seq } of all) {
      // Not what it has woken for: an event since, or, before a pause, the same.
      if (!holds || (when.all ? seq === null : seq !== one.since)) continue;
      if (await isStillSo(deps, one, lane as Ref)) held.push(lane as Ref);
      // It runs, and nobody was told: what it ends with is looked at as if it had not held.
      else journal.note(() => store.automations.setWatched(one.id, lane as Ref, { holds: false, seq: null }));
    }
    if (held.length === 0 || (when.all && held.length < all.length)) return passed(one);
    for (const about of when.all ? held.slice(0, 1) : held)
      fire(deps, actions, one, {
        slot: `begin ${one.since} ${about}`,
        moment: clock.now(),
        event: null,
        about,
        missed: 0,
        next: null,
        text: wakeText(deps, one, when.all ? held : [about]),
      });
    if (when.all) journal.note(() => store.automations.spendWatched(one.id));
    passed(one);
  }

  return lookAtClock;
}
