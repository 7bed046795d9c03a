/** What a trigger asks of Codex: it keeps nobody waiting, and is done once. */
import { expect, test } from "bun:test";
import { beside } from "../../../src/core/automation/beside.ts";
import { noGuards } from "../../../src/core/automation/row.ts";
import type { TriggerDraft } from "../../../src/core/automation/triggers.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import { testWorld } from "../../world/world.ts";
import { macrotasks, type Rig, rig, waiting } from "../rig.ts";

const second = 1000;

function trigger(here: Rig, over: Partial<TriggerDraft> = {}) {
  return here.world.engine.core.addTrigger({
    name: "t",
    lane: here.ref,
    when: { kind: "interval", seconds: 60 },
    of: [],
    action: { kind: "queue", text: "go on" },
    guards: noGuards,
    caller: "cli",
    ...over,
  });
}

const nightly = {
  name: "nightly",
  lane: null,
  action: { kind: "new", preset: null, name: "nightly", text: "look" },
} as const;

async function pass(here: Rig, ms: number, step = 5 * second): Promise<void> {
  for (let left = ms; left > 0; left -= step) {
    await here.clock.advance(Math.min(step, left));
    await macrotasks(6);
  }
}

function made(here: Rig): Ref[] {
  return here.world.engine.core
    .list({ archived: false, limit: 100 })
    .filter(({ title }) => title.startsWith("nightly"))
    .map(({ ref }) => ref as Ref);
}

test("a Codex that is slow to make a thread keeps no other trigger waiting, and each thread is made in order", async () => {
  const here = await rig();
  const answer = here.world.agent.withhold("startThread");
  trigger(here, { ...nightly, when: { kind: "interval", seconds: 20 } });
  trigger(here, { when: { kind: "interval", seconds: 10 } });
  const { core } = here.world.engine;
  await pass(here, 52 * second);
  core.pauseTrigger("t");
  expect(core.trigger("t").fired).toBe(5);
  expect(core.trigger("nightly")).toMatchObject({ fired: 0, state: "active" });
  expect(core.trigger("nightly").firings.map(({ outcome }) => outcome)).toEqual(["open", "open"]);
  expect(made(here)).toHaveLength(1);
  answer();
  await macrotasks(60);
  await pass(here, 5 * second);
  expect(made(here)).toHaveLength(2);
  const rows = core.trigger("nightly").firings.reverse();
  expect(rows.map(({ outcome }) => outcome)).toEqual(["fired", "fired"]);
  const titles = rows.map(({ thread }) => core.view(thread as Ref).title);
  expect(titles).toEqual(titles.toSorted());
});

test("a Codex that is slow to stop a turn keeps no other trigger waiting", async () => {
  const here = await rig();
  await here.send(waiting);
  await macrotasks(20);
  let stopped = 0;
  here.world.agent.interruptTurn = () => {
    stopped++;
    return new Promise(() => {});
  };
  trigger(here, { name: "stop", action: { kind: "stop" } });
  trigger(here);
  await pass(here, 130 * second);
  expect(here.world.engine.core.trigger("t").fired).toBe(2);
  expect(stopped).toBe(1);
});

test("one that may fire once does so once, also while Codex is slow", async () => {
  const here = await rig();
  const answer = here.world.agent.withhold("startThread");
  const when = { kind: "interval", seconds: 10 } as const;
  trigger(here, { ...nightly, when, guards: { ...noGuards, max_fires: 1 } });
  await pass(here, 40 * second);
  answer();
  await macrotasks(60);
  expect(made(here)).toHaveLength(1);
  expect(here.world.engine.core.trigger("nightly")).toMatchObject({ fired: 1, state: "ended" });
});

test("a thread is made once for its moment, and its firing says so, whenever the daemon is killed", async () => {
  for (let steps = 0; steps < 30; steps++) {
    const here = await rig();
    trigger(here, { ...nightly, guards: { ...noGuards, max_fires: 1 } });
    await here.clock.advance(59 * second);
    void here.clock.advance(2 * second);
    await macrotasks(steps);
    here.world.abandon();
    const { store, agent } = here.world;
    const next = testWorld({ clock: here.clock, store, threads: agent.threads });
    next.engine.begin();
    next.agent.up();
    for (let at = 0; at < 30; at++) {
      await here.clock.advance(5 * second);
      await macrotasks(8);
    }
    const { fired, firings, state } = next.engine.core.trigger("nightly");
    expect({ fired, state }, `killed after ${steps} steps`).toEqual({ fired: 1, state: "ended" });
    const lanes = next.engine.core
      .list({ archived: false, limit: 10 })
      .filter(({ title }) => title.startsWith("nightly"));
    expect(lanes.map(({ ref }) => ref)).toEqual(firings.map(({ thread }) => thread!));
    await next.end();
  }
}, 60_000);

test("a stop that a killed daemon left stops its turn, and not a later one", async () => {
  for (const [status, count] of [
    ["in_progress", 1],
    ["interrupted", 0],
  ] as const) {
    const here = await rig();
    await here.send(waiting);
    await macrotasks(20);
    here.world.agent.interruptTurn = () => new Promise(() => {});
    trigger(here, { action: { kind: "stop" }, guards: { ...noGuards, max_fires: 1 } });
    await pass(here, 65 * second);
    here.world.abandon();
    const { store } = here.world;
    store.turns.put({ ...store.turns.latest(here.ref)!, status });
    const next = testWorld({ clock: here.clock, store });
    const stopped: Ref[] = [];
    const besides = beside(next, {
      delivery: { store: () => store.messages.get("none") },
      stop: async (ref) => stopped.push(ref),
      create: async () => here.ref,
    });
    besides.start();
    await macrotasks(20);
    expect(stopped).toHaveLength(count);
    expect(next.engine.core.trigger("t")).toMatchObject({ fired: 1, state: "ended" });
    await besides.end();
    next.abandon();
  }
});
