/** What a person does with what acts by itself: pause it, let it go on, remove it. */

import { fail } from "../../base/error.ts";
import { turnEnds } from "../../contract/events.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Automation, WatchedLane } from "../model/ports/automation.ts";
import type { Ref } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";
import { writeLock } from "../state/lane.ts";
import { startAt } from "./fire.ts";
import { isClock, nextSlot } from "./schedule.ts";
import { holdsAlready } from "./watch.ts";

type Moment = Pick<Automation, "slot_at" | "due_at">;

export function removeAutomation({ store, journal }: CoreDeps, one: Automation): void {
  journal.commit(() => store.automations.remove(one.id));
}

export function pauseByHand({ store, journal }: CoreDeps, one: Automation): void {
  if (one.state === "ended")
    fail("conflict", `it has ended: ${one.reason}`, { hint: "dispatch trigger add" });
  journal.commit((change) =>
    store.automations.set(one.id, {
      state: "paused",
      reason: "by hand",
      due_at: null,
      updated_at: change.now,
    }),
  );
}

/** From now on. Moments and events of the pause are not caught up; what holds now, and did not before it, is. */
export function resume(deps: CoreDeps, one: Automation): void {
  const { store, journal } = deps;
  if (one.state === "active") return;
  if (one.lane !== null && one.face === "trigger") refuseLocked(store, one.lane);
  const isUsedUp = one.guards.max_fires !== null && one.fired >= one.guards.max_fires;
  if (
    one.state === "ended" &&
    (isUsedUp || (isClock(one.when) && nextSlot(one.when, deps.clock.now(), one.created_at) === null))
  )
    fail("conflict", `it has ended: ${one.reason}`, { hint: "dispatch trigger add" });
  journal.commit((change) => {
    const since = store.log.last();
    const named = store.automations.watched(one.id).map(({ lane }) => lane);
    const moment =
      one.face === "subscription"
        ? holdAnew(deps, one, since, change.now)
        : beginning(deps, one, named, change.now);
    store.automations.set(one.id, {
      ...moment,
      state: "active",
      reason: null,
      failures: 0,
      since,
      updated_at: change.now,
    });
  });
}

/** Its first moment. What idles already is counted from the end of its last turn, once for each time that it idles. */
export function beginning(
  { store }: CoreDeps,
  row: Automation,
  watched: readonly WatchedLane[],
  now: number,
): Moment {
  if (row.when.kind !== "idle_for") return startAt(row, now);
  const ref = watched[0] as Ref;
  if (store.turns.latest(ref)?.status === "in_progress") return { slot_at: null, due_at: null };
  const [end] = store.events.newest({ lanes: [ref], kinds: turnEnds, limit: 1 });
  const began = end?.at ?? store.lanes.find(ref)?.created_at ?? now;
  const at = began + row.when.seconds * 1000;
  // One that fired since, and then was paused, has fired for this moment.
  return { slot_at: at, due_at: Math.max(now, at) };
}

/** Marks what holds of each thread now. Due at once where there is something that it has not woken for. */
function holdAnew(deps: CoreDeps, one: Automation, since: number, now: number): Moment {
  const { store } = deps;
  const { when, guards } = one;
  if (when.kind !== "condition") return { slot_at: null, due_at: null };
  const watched = store.automations.watched(one.id);
  let held = 0;
  for (const { lane, holds, seq } of watched) {
    const ref = lane as Ref;
    const facts = store.lanes.findFacts(ref);
    const isSo = facts !== undefined && holdsAlready(deps, when, facts);
    // Of one that wakes each time: it woke for this, unless the thread has run since.
    const isKnown = holds && guards.max_fires !== 1 && !hasRun(deps, ref, seq ?? one.since);
    const isHeld = isSo && !isKnown;
    if (isHeld) held++;
    store.automations.setWatched(one.id, ref, {
      holds: isSo,
      seq: isHeld ? since : isSo ? seq : null,
    });
  }
  const isNow = when.all ? held === watched.length : held > 0;
  return isNow ? { slot_at: now, due_at: now } : { slot_at: null, due_at: null };
}

function hasRun({ store }: CoreDeps, ref: Ref, since: number): boolean {
  return store.events.list({ after: since, lanes: [ref], kinds: ["turn.started"], limit: 1 }).length > 0;
}

export function refuseLocked(store: Store, lane: Ref): void {
  const lock = writeLock(store.lanes.get(lane));
  if (lock !== null)
    fail("authority", `thread ${lane} takes nothing: ${lock}`, { hint: `dispatch get ${lane}` });
}
