/** Steps of what acts by itself: triggers, subscriptions, inboxes and notifications that come, pause, go on and go. */
import { DispatchError } from "../../src/base/error.ts";
import { type WatchedCondition, watchedConditions } from "../../src/contract/words.ts";
import { noGuards } from "../../src/core/automation/row.ts";
import type { Action, Automation, Guards, When } from "../../src/core/model/ports/automation.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import { account } from "./account.ts";
import { pick, type Sim } from "./state.ts";

/** So many at a time: a run is to end. */
const activeMax = 10;

export function allOf({ store }: Sim): Automation[] {
  return (["trigger", "subscription"] as const).flatMap((face) =>
    store.automations.list({ face, limit: 1000 }),
  );
}

function isFull(sim: Sim): boolean {
  return allOf(sim).filter(({ state }) => state !== "ended").length >= activeMax;
}

/** A refusal stores nothing. */
function refusable(sim: Sim, call: () => void): void {
  try {
    call();
  } catch (thrown) {
    if (!(thrown instanceof DispatchError)) throw thrown;
    sim.trail.push(`  refused: ${thrown.message}`);
  }
}

function noteDraft({ ledger, trail }: Sim, id: string, draft: object): void {
  trail.push(`  ${id}: ${JSON.stringify(draft)}`);
  ledger.added++;
}

function whenOf(sim: Sim): When {
  const seconds = pick(sim, [20, 60, 300]);
  switch (pick(sim, ["interval", "cron", "at", "idle_for", "condition", "condition", "event", "event"])) {
    case "interval":
      return { kind: "interval", seconds };
    case "cron":
      return {
        kind: "cron",
        cron: pick(sim, ["* * * * *", "*/5 * * * *", "*/20 * * * * *"]),
        tz: "UTC",
      };
    case "at":
      return { kind: "at", time: sim.clock.now() + Math.floor(1 + sim.random() * 300_000) };
    case "idle_for":
      return { kind: "idle_for", seconds: pick(sim, [10, 30, 90]) };
    case "condition":
      return { kind: "condition", conditions: [pick(sim, watchedConditions)], all: false };
    default:
      return { kind: "event", kinds: [...pick(sim, watchedKinds)] };
  }
}

const watchedKinds = [
  ["turn.completed"],
  ["turn.failed", "turn.interrupted"],
  ["message.done"],
  ["queue.held", "queue.released"],
  ["trigger.fired"],
  ["request.opened"],
] as const;

function actionOf(sim: Sim): Action {
  const kind = pick(sim, [
    "queue",
    "queue",
    "queue",
    "send",
    "steer",
    "interject",
    "context",
    "stop",
    "new",
  ] as const);
  const text = pick(sim, [
    "plain",
    "{{event.kind}}: {{turn.last_message}} of {{thread.title}}",
    '[{"fail":"no luck"}]',
    '[{"ask":"touch x"},{"say":"asked"}]',
  ]);
  if (kind === "stop") return { kind };
  if (kind === "new") return { kind, preset: null, name: `made ${sim.ledger.added}`, text };
  return { kind, text };
}

function guardsOf(sim: Sim, isNew: boolean): Guards {
  const some = <T>(value: T): T | null => (sim.random() < 0.15 ? value : null);
  return {
    ...noGuards,
    idle_only: sim.random() < 0.15,
    dedupe: sim.random() < 0.15,
    min_interval: some(45_000),
    max_fires: isNew ? pick(sim, [1, 2]) : some(pick(sim, [1, 3])),
    until: some(sim.clock.now() + 400_000),
    catch_up: pick(sim, ["one", "none", "all"]),
    jitter: some(pick(sim, [5_000, 90_000])) ?? 0,
  };
}

export function addTrigger(sim: Sim): void {
  if (isFull(sim)) return;
  const when = whenOf(sim);
  const action = actionOf(sim);
  const draft = {
    name: `t${sim.ledger.added}`,
    lane: action.kind === "new" ? null : pick(sim, sim.refs),
    when,
    of: [pick(sim, sim.refs)],
    action,
    guards: guardsOf(sim, action.kind === "new"),
    caller: "sim",
  };
  refusable(sim, () => noteDraft(sim, sim.world.engine.core.addTrigger(draft).id, draft));
}

export function subscribe(sim: Sim): void {
  if (isFull(sim)) return;
  const to: Ref | null = sim.random() < 0.3 ? null : pick(sim, sim.refs);
  const others = sim.refs.filter((ref) => ref !== to);
  const conditions: readonly WatchedCondition[] =
    sim.random() < 0.3 ? ["done", "failed", "waiting", "attention"] : [pick(sim, watchedConditions)];
  const draft = {
    of: sim.random() < 0.6 ? others.slice(0, 2) : [pick(sim, others)],
    conditions,
    to,
    deliver: to === null || sim.random() < 0.3 ? ("inbox" as const) : ("queue" as const),
    all: sim.random() < 0.5,
    once: sim.random() < 0.6,
    tail: pick(sim, [1, 3]),
    caller: "sim",
  };
  refusable(sim, () => noteDraft(sim, sim.world.engine.core.subscribe(draft).id, draft));
}

function any(sim: Sim, state: Automation["state"]): Automation | undefined {
  const all = allOf(sim).filter((one) => one.state === state);
  return all.length > 0 ? pick(sim, all) : undefined;
}

export function pause(sim: Sim): void {
  const one = any(sim, "active");
  if (one) pauseThis(sim, one);
}

export function pauseThis(sim: Sim, one: Automation): void {
  account(sim, one);
  sim.trail.push(`  ${one.id} is paused`);
  if (one.face === "trigger") sim.world.engine.core.pauseTrigger(one.id);
  // A subscription is paused by what happens to its thread; there is no command for it.
  else
    sim.world.journal.commit((change) =>
      sim.store.automations.set(one.id, {
        state: "paused",
        reason: "sim",
        due_at: null,
        updated_at: change.now,
      }),
    );
}

export function resume(sim: Sim): void {
  const one = any(sim, "paused");
  if (one) resumeThis(sim, one);
}

export function resumeThis(sim: Sim, one: Automation): void {
  const { core } = sim.world.engine;
  refusable(sim, () => {
    if (one.face === "trigger") core.resumeTrigger(one.id);
    else core.resumeSubscription(one.id);
    sim.trail.push(`  ${one.id} goes on`);
  });
}

export function remove(sim: Sim): void {
  const all = allOf(sim);
  if (all.length === 0) return;
  const one = pick(sim, all);
  account(sim, one);
  sim.trail.push(`  ${one.id} is removed`);
  if (one.face === "trigger") sim.world.engine.core.removeTrigger(one.id);
  else sim.world.engine.core.removeSubscription(one.id);
}

export function inbox(sim: Sim): void {
  const { core } = sim.world.engine;
  const [oldest] = core.inbox({ states: ["pending"], limit: 1 });
  if (oldest && sim.random() < 0.5) core.ackInbox([oldest.id]);
  else core.postInbox({ lane: sim.random() < 0.5 ? null : pick(sim, sim.refs), sender: "sim", text: "look" });
}

const rules = [
  { kinds: ["failed", "waiting"], exec: ["good"] },
  { kinds: ["turn.completed", "codex.down"], exec: ["flaky"] },
  { kinds: ["turn.failed", "queue.held", "trigger.paused"], exec: ["stuck"] },
];

/** A block of the configuration is written, or taken out. */
export function configure(sim: Sim): void {
  const rule = pick(sim, rules);
  sim.notify = sim.notify.includes(rule) ? sim.notify.filter((one) => one !== rule) : [...sim.notify, rule];
}

export function answer(sim: Sim): void {
  const { core } = sim.world.engine;
  const [request] = core.requests({ ref: null, all: false, limit: 1 });
  if (request) sim.calls.push(core.answer(request.id, { decision: "approve" }, "cli", null).catch(() => {}));
}
