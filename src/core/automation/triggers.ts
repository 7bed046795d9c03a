/** Adding triggers, and what a person does with them. Everything that can be wrong is refused when one is added. */
import { iso } from "../../base/clock.ts";
import type { RowKey } from "../../base/cursor.ts";
import { DispatchError, errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { FiringView, TriggerView } from "../../contract/automation.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Action, Automation, Guards, WatchedLane, When, Work } from "../model/ports/automation.ts";
import type { Ref } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";
import { beginning, refuseLocked } from "./control.ts";
import { type Occurrence, type Previews, perform, textOf } from "./effect.ts";
import { refusalOf, stopReason } from "./guards.ts";
import { automationRow } from "./row.ts";
import { cronOf, isClock, nextSlot } from "./schedule.ts";
import { checkTemplate } from "./template.ts";
import { firingView, triggerView } from "./views.ts";

export interface TriggerDraft {
  name: string;
  /** The thread that it acts on; null: it makes one. */
  lane: Ref | null;
  when: When;
  /** The threads that it looks at; empty: the thread that it acts on. */
  of: readonly Ref[];
  action: Action;
  guards: Guards;
  caller: string;
}

/** Throws `usage`, `conflict` (the name is taken), `not_found`, `too_large`; nothing is stored then. */
export function addTrigger(deps: CoreDeps, { plan }: Previews, draft: TriggerDraft): TriggerView {
  const { store, journal } = deps;
  const { name, lane, when, action, guards } = draft;
  refuseFull(store);
  if ((store.automations.findByName(name)?.state ?? "ended") !== "ended" || store.automations.find(name))
    fail("conflict", `there is a trigger ${name}`, { hint: `dispatch trigger rm ${name}` });
  if (lane === null && action.kind !== "new")
    fail("usage", "this action needs a thread", { hint: "--thread THREAD" });
  if (lane !== null) refuseLocked(store, lane);
  if ("text" in action) {
    if (action.text.trim() === "") fail("usage", "the text is empty", { hint: "--text TEXT" });
    checkTemplate(action.text);
  }
  if (action.kind === "new") {
    checkTemplate(action.name);
    plan(action);
  }
  const watched: readonly WatchedLane[] = isClock(when)
    ? []
    : draft.of.length > 0
      ? draft.of
      : lane === null
        ? []
        : [lane];
  if (!isClock(when) && watched.length === 0)
    fail("usage", "there is no thread to look at", { hint: "--of THREAD" });
  if (watched.length > limits.automation.watchedMax)
    fail("too_large", `a trigger looks at most at ${limits.automation.watchedMax} threads`);
  checkWhen(deps, when, guards);
  return journal.commit((change) => {
    const since = store.log.last();
    const given = { id: freeId(deps), face: "trigger", name, lane, when, action, guards, since } as const;
    const row = automationRow({ ...given, caller: draft.caller }, change.now);
    const started = { ...row, ...beginning(deps, row, watched, change.now) };
    store.automations.add(started, watched);
    return triggerView(store, started);
  });
}

export function freeId({ store, mint }: CoreDeps): string {
  let id = mint.ref();
  while (store.automations.find(id) || store.lanes.isRefTaken(id)) id = mint.ref();
  return id;
}

export function refuseFull(store: Store): void {
  if (store.automations.count() < limits.automation.max) return;
  fail("too_large", `there are ${limits.automation.max} triggers, subscriptions and notifications`, {
    hint: "dispatch trigger list",
  });
}

function checkWhen({ clock }: CoreDeps, when: When, { until }: Guards): void {
  const now = clock.now();
  if (when.kind === "cron") {
    try {
      cronOf(when).nextRun(new Date(now));
    } catch (thrown) {
      const words = errorMessage(thrown);
      const isZone = /time ?zone/i.test(words);
      fail(
        "usage",
        isZone ? `there is no time zone ${when.tz}` : `"${when.cron}" is no cron expression: ${words}`,
        {
          hint: isZone ? "--tz Europe/Berlin" : '--cron "0 9 * * 1-5"',
        },
      );
    }
  }
  if (!isClock(when)) return;
  const first = nextSlot(when, now, now);
  if (first === null)
    fail("usage", when.kind === "at" ? "that time is over" : "such a moment never comes", {
      hint: "dispatch trigger add --help",
    });
  if (until !== null && first > until)
    fail("usage", `its first moment is ${iso(first)}, and that is after --until`, { hint: "--until TIME" });
}

/** By id or name. Throws `not_found`. */
export function triggerOf({ store }: CoreDeps, word: string): Automation {
  const byId = store.automations.find(word);
  const found = byId?.face === "trigger" ? byId : store.automations.findByName(word);
  return found ?? fail("not_found", `no trigger ${word}`, { hint: "dispatch trigger list" });
}

export function listTriggers(
  { store }: CoreDeps,
  page: { after: RowKey | null; limit: number },
): TriggerView[] {
  return store.automations.list({ face: "trigger", ...page }).map((one) => triggerView(store, one));
}

export function getTrigger(deps: CoreDeps, word: string): TriggerView & { firings: FiringView[] } {
  const one = triggerOf(deps, word);
  const firings = deps.store.automations.firings(one.id, limits.automation.firingsShownMax);
  return { ...triggerView(deps.store, one), firings: firings.map(firingView) };
}

export interface TriggerTest {
  trigger: TriggerView;
  would: "fire" | "fail" | "skip" | "pause";
  reason: string | null;
  /** The text that it would send now. */
  text: string | null;
  next: string[];
}

/** What it would do now, and its next moments. Nothing is stored. */
export function testTrigger(deps: CoreDeps, previews: Previews, word: string): TriggerTest {
  const one = triggerOf(deps, word);
  const about = (deps.store.automations.watched(one.id)[0]?.lane as Ref | undefined) ?? one.lane;
  const moment = deps.clock.now();
  const occurrence = { slot: iso(moment), moment, event: null, about, missed: 0, next: null };
  const stop =
    one.state === "active" ? stopReason(deps, one, occurrence) : `it is ${one.state}: ${one.reason}`;
  const refusal = stop ?? refusalOf(deps, one);
  const failure = refusal === null ? failureOf(deps, previews, one, occurrence) : null;
  const { until, max_fires } = one.guards;
  const most = Math.min(limits.automation.slotsShownMax, (max_fires ?? Infinity) - one.fired);
  const isActive = one.state === "active" && isClock(one.when);
  const next: string[] = [];
  for (
    let at = isActive ? (one.due_at ?? nextSlot(one.when, moment, one.created_at)) : null;
    at !== null && next.length < most && at <= (until ?? at);
    at = nextSlot(one.when, at, one.created_at)
  )
    next.push(iso(at));
  return {
    trigger: triggerView(deps.store, one),
    would: stop !== null && one.state === "active" ? "pause" : refusal ? "skip" : failure ? "fail" : "fire",
    reason: refusal ?? failure,
    text: "text" in one.action ? textOf(deps, one, occurrence, one.action.text) : null,
    next,
  };
}

/** Why it would be refused, by doing it in a transaction that is not kept. */
function failureOf(
  deps: CoreDeps,
  { delivery, plan }: Previews,
  one: Automation,
  occurrence: Occurrence,
): string | null {
  const undone = new Error("the transaction of a test");
  let work: Work | undefined;
  try {
    deps.journal.commit((change) => {
      const effect = perform(deps, { delivery }, change, one, occurrence);
      if (effect.error) throw effect.error;
      work = effect.work;
      throw undone;
    });
  } catch (thrown) {
    if (thrown !== undone) return refusedWith(thrown);
  }
  if (work?.kind !== "new") return null;
  try {
    plan(work);
    return null;
  } catch (thrown) {
    return refusedWith(thrown);
  }
}

function refusedWith(thrown: unknown): string {
  if (thrown instanceof DispatchError) return thrown.message;
  throw thrown;
}
