/** Subscriptions: a thread, or the person, is woken when what it waits for holds of other threads. */
import type { RowKey } from "../../base/cursor.ts";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { SubscriptionView } from "../../contract/automation.ts";
import type { WatchedCondition } from "../../contract/words.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Automation } from "../model/ports/automation.ts";
import type { Ref } from "../model/ports/rows.ts";
import { automationRow, noGuards } from "./row.ts";
import { freeId, refuseFull } from "./triggers.ts";
import { subscriptionView } from "./views.ts";
import { holdsAlready } from "./watch.ts";

export interface SubscriptionDraft {
  of: readonly Ref[];
  conditions: readonly WatchedCondition[];
  /** The thread that is woken; null: the person, by the inbox. */
  to: Ref | null;
  deliver: "queue" | "inbox";
  all: boolean;
  once: boolean;
  tail: number;
  caller: string;
}

/** What holds already wakes at once: its first moment is now. Throws `usage`, `too_large`. */
export function subscribe(deps: CoreDeps, draft: SubscriptionDraft): SubscriptionView {
  const { store, journal } = deps;
  const { to, deliver, all, once, tail, caller, conditions } = draft;
  const of = [...new Set(draft.of)];
  refuseFull(store);
  if (of.length === 0) fail("usage", "there is no thread to look at", { hint: "dispatch subscribe THREAD" });
  if (of.length > limits.automation.watchedMax)
    fail("too_large", `a subscription looks at most at ${limits.automation.watchedMax} threads`);
  if (to !== null && of.includes(to))
    fail("usage", `thread ${to} cannot wait for itself`, { hint: "dispatch subscribe OTHER" });
  if (to === null && deliver === "queue")
    fail("usage", "this caller runs in no thread that could be woken", {
      hint: "--to THREAD, or --deliver inbox",
    });
  const when = { kind: "condition", conditions, all } as const;
  return journal.commit((change) => {
    const facts = of.map((ref) => store.lanes.getFacts(ref));
    const held = facts.filter((one) => holdsAlready(deps, when, one)).map(({ lane }) => lane.ref);
    const isNow = all ? held.length === of.length : held.length > 0;
    const now = isNow ? change.now : null;
    const row = automationRow(
      {
        id: freeId(deps),
        face: "subscription",
        lane: to,
        when,
        action: { kind: "wake", deliver, tail },
        guards: { ...noGuards, max_fires: once ? 1 : null },
        since: store.log.last(),
        slot_at: now,
        due_at: now,
        caller,
      },
      change.now,
    );
    store.automations.add(row, of);
    for (const ref of held) store.automations.setWatched(row.id, ref, { holds: true, seq: row.since });
    return subscriptionView(store, row);
  });
}

/** Throws `not_found`. */
export function subscriptionOf({ store }: CoreDeps, id: string): Automation {
  const one = store.automations.find(id);
  if (one?.face === "subscription") return one;
  return fail("not_found", `no subscription ${id}`, { hint: "dispatch subscription list" });
}

export function listSubscriptions(
  { store }: CoreDeps,
  { to, after = null, limit }: { to?: Ref | null; after?: RowKey | null; limit: number },
): SubscriptionView[] {
  return store.automations
    .list({ face: "subscription", ...(to === undefined ? {} : { lane: to }), after, limit })
    .map((one) => subscriptionView(store, one));
}
