/** What an event means to those who watch its thread, and to the chain of causes. */
import { expect, test } from "bun:test";
import { noGuards } from "../../../src/core/automation/row.ts";
import type { SubscriptionDraft } from "../../../src/core/automation/subscriptions.ts";
import type { TriggerDraft } from "../../../src/core/automation/triggers.ts";
import { plain } from "../../../src/core/delivery/accept.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import { macrotasks, never, type Rig, rig, waiting } from "../rig.ts";

async function thread(here: Rig, name: string): Promise<Ref> {
  const settings = { cwd: "/repo", sandbox: "read-only" as const };
  const draft = { name, text: null, goal: null, settings, key: null, created_by: "cli" };
  return (await here.world.engine.core.create(draft, never())).ref;
}

function subscribe(here: Rig, of: readonly Ref[], over: Partial<SubscriptionDraft> = {}) {
  const draft = { conditions: ["done"], to: null, deliver: "inbox", all: true, once: false } as const;
  return here.world.engine.core.subscribe({ of, ...draft, tail: 1, caller: "cli", ...over });
}

function trigger(here: Rig, over: Partial<TriggerDraft>) {
  const draft = { name: "t", lane: here.ref, of: [], guards: noGuards, caller: "cli" };
  const when = { kind: "event", kinds: ["turn.completed"] } as const;
  const action = { kind: "queue", text: "go on" } as const;
  return here.world.engine.core.addTrigger({ ...draft, when, action, ...over });
}

const wakes = (here: Rig) => here.world.store.inbox.list({ states: ["pending"], limit: 100 }).length;

async function turn(here: Rig, ref: Ref, text = "hello"): Promise<void> {
  await here.world.engine.core.send(ref, { ...plain, text }, never());
  await macrotasks(80);
}

test("a repeated wake of all comes when each of them has run again, and not before", async () => {
  const here = await rig();
  const [a, b] = [await thread(here, "a"), await thread(here, "b")];
  subscribe(here, [a, b]);
  await turn(here, a);
  await turn(here, b);
  expect(wakes(here)).toBe(1);
  await turn(here, a);
  await turn(here, a);
  expect(wakes(here)).toBe(1);
  await turn(here, b);
  expect(wakes(here)).toBe(2);
});

test("a repeated wake of all failures comes after another failure of each", async () => {
  const here = await rig();
  const [a, b] = [await thread(here, "a"), await thread(here, "b")];
  subscribe(here, [a, b], { conditions: ["failed"] });
  const failing = JSON.stringify([{ fail: "no luck" }]);
  const fail = async (ref: Ref) => {
    await here.world.engine.core.send(ref, { ...plain, mode: "interject", text: failing }, never());
    await macrotasks(80);
  };
  for (const ref of [a, a, b]) await fail(ref);
  expect(wakes(here)).toBe(1);
  for (const ref of [a, a, b]) await fail(ref);
  expect(wakes(here)).toBe(2);
});

test("of several conditions one that holds still counts when another one ends", async () => {
  const here = await rig();
  const [a, b] = [await thread(here, "a"), await thread(here, "b")];
  subscribe(here, [a, b], { conditions: ["done", "attention"], once: true });
  await turn(here, a, JSON.stringify([{ fail: "no luck" }]));
  const { core } = here.world.engine;
  if (here.world.store.lanes.get(a).hold_reason !== null) core.release(a);
  here.world.journal.commit((change) =>
    change.append({ kind: "queue.released", lane: a, data: { reason: "failed" } }),
  );
  here.world.store.turns.put({ ...here.world.store.turns.latest(a)!, status: "completed", error: null });
  await macrotasks(40);
  await turn(here, b);
  expect(wakes(here)).toBe(1);
});

test("a chain of causes is followed also where many messages wait behind the one of the turn", async () => {
  const here = await rig();
  const other = await thread(here, "other");
  const { store } = here.world;
  trigger(here, { lane: other, of: [here.ref] });
  await here.send(waiting);
  await macrotasks(40);
  const [first] = store.messages.list({ lane: here.ref, limit: 1 });
  for (let at = 0; at < 30; at++) await here.send("later", { mode: "queue" });
  here.world.agent.release("go");
  await macrotasks(40);
  const woken = store.messages.list({ lane: other, limit: 100 });
  expect(woken.map(({ cause_id }) => cause_id)).toContain(first!.id);
});

test("an event after its end does not fire a trigger, and ends it", async () => {
  const here = await rig();
  const other = await thread(here, "other");
  const until = here.clock.now() + 60_000;
  trigger(here, { lane: other, of: [here.ref], guards: { ...noGuards, until } });
  await turn(here, here.ref);
  expect(here.world.engine.core.trigger("t").fired).toBe(1);
  await here.clock.advance(61_000);
  await turn(here, here.ref);
  expect(here.world.engine.core.trigger("t")).toMatchObject({ fired: 1, state: "ended" });
});

test("a moment that is looked at later by its jitter alone was not missed", async () => {
  const here = await rig();
  const guards = { ...noGuards, catch_up: "none", jitter: 300_000 } as const;
  for (let at = 0; at < 8; at++)
    trigger(here, { name: `t${at}`, when: { kind: "interval", seconds: 600 }, guards });
  for (let at = 0; at < 190; at++) await here.clock.advance(5000);
  const all = Array.from({ length: 8 }, (_, at) => here.world.engine.core.trigger(`t${at}`));
  expect(all.map(({ firings }) => firings.map(({ outcome }) => outcome))).toEqual(Array(8).fill(["fired"]));
});
