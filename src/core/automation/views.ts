/** Triggers, subscriptions and firings as clients see them. */
import { iso, isoOrNull } from "../../base/clock.ts";
import type { FiringView, SubscriptionView, TriggerView } from "../../contract/automation.ts";
import type { Automation, Firing } from "../model/ports/automation.ts";
import type { Store } from "../model/ports/store.ts";

const secondsOf = (ms: number | null) => (ms === null ? null : ms / 1000);

function base(store: Store, one: Automation) {
  return {
    id: one.id,
    state: one.state,
    reason: one.reason,
    of: store.automations.watched(one.id).map(({ lane }) => lane as string),
    fired: one.fired,
    failures: one.failures,
    last_fired_at: isoOrNull(one.last_fired_at),
    last_receipt: one.last_receipt,
    created_at: iso(one.created_at),
    created_by: one.caller,
  };
}

export function triggerView(store: Store, one: Automation): TriggerView {
  const { when, action, guards } = one;
  return {
    ...base(store, one),
    name: one.name ?? one.id,
    thread: one.lane,
    when: when.kind === "at" ? { kind: "at", time: iso(when.time) } : (when as TriggerView["when"]),
    action: action as TriggerView["action"],
    guards: {
      idle_only: guards.idle_only,
      min_interval: secondsOf(guards.min_interval),
      dedupe: guards.dedupe,
      max_fires: guards.max_fires,
      until: isoOrNull(guards.until),
      catch_up: guards.catch_up,
      jitter: guards.jitter / 1000,
    },
    next_due: one.state === "active" ? isoOrNull(one.due_at) : null,
  };
}

export function subscriptionView(store: Store, one: Automation): SubscriptionView {
  const { when, action, guards } = one;
  const watched = store.automations.watched(one.id);
  const isAll = when.kind === "condition" && when.all;
  return {
    ...base(store, one),
    to: one.lane,
    when: when.kind === "condition" ? [...when.conditions] : [],
    deliver: action.kind === "wake" ? action.deliver : "inbox",
    all: isAll,
    once: guards.max_fires === 1,
    tail: action.kind === "wake" ? action.tail : 1,
    held: isAll
      ? watched.filter(({ holds, seq }) => holds && seq !== null).map(({ lane }) => lane as string)
      : [],
  };
}

export function firingView({ at, slot, outcome, reason, slots, receipt, lane }: Firing): FiringView {
  return { at: iso(at), slot, outcome, reason, slots, receipt, thread: lane };
}
