/** What is paused and goes on: from now, with what holds now. */
import { expect, test } from "bun:test";
import { noGuards } from "../../../src/core/automation/row.ts";
import type { SubscriptionDraft } from "../../../src/core/automation/subscriptions.ts";
import { plain } from "../../../src/core/delivery/accept.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import { testWorld } from "../../world/world.ts";
import { macrotasks, never, type Rig, rig, waiting } from "../rig.ts";

const second = 1000;

async function thread(here: Rig, name: string): Promise<Ref> {
  const settings = { cwd: "/repo", sandbox: "read-only" as const };
  const draft = { name, text: null, goal: null, settings, key: null, created_by: "cli" };
  return (await here.world.engine.core.create(draft, never())).ref;
}

function subscribe(here: Rig, of: readonly Ref[], over: Partial<SubscriptionDraft> = {}) {
  const draft = { conditions: ["done"], to: here.ref, deliver: "inbox", all: false, once: true } as const;
  return here.world.engine.core.subscribe({ of, ...draft, tail: 1, caller: "cli", ...over });
}

const wakes = (here: Rig) => here.world.store.inbox.list({ states: ["pending"], limit: 100 }).length;
const pause = (here: Rig, id: string) =>
  here.world.store.automations.set(id, { state: "paused", reason: "archived", due_at: null });

async function turn(here: Rig, ref: Ref, text: string): Promise<void> {
  await here.world.engine.core.send(ref, { ...plain, text }, never());
  await macrotasks(80);
}

test("a resumed subscription wakes for what came to hold while it was paused", async () => {
  const here = await rig();
  const worker = await thread(here, "worker");
  const { id } = subscribe(here, [worker]);
  pause(here, id);
  await turn(here, worker, "hello");
  expect(wakes(here)).toBe(0);
  here.world.engine.core.resumeSubscription(id);
  await macrotasks(40);
  expect(wakes(here)).toBe(1);
});

test("a resumed subscription does not wake again for what it woke for before", async () => {
  const here = await rig();
  const worker = await thread(here, "worker");
  const { id } = subscribe(here, [worker], { once: false });
  await turn(here, worker, "one");
  expect(wakes(here)).toBe(1);
  for (const runs of [0, 1]) {
    pause(here, id);
    for (let at = 0; at < runs; at++) await turn(here, worker, "again");
    here.world.engine.core.resumeSubscription(id);
    await macrotasks(40);
    expect(wakes(here)).toBe(1 + runs);
  }
  await turn(here, worker, "and again");
  expect(wakes(here)).toBe(3);
});

test("a resumed subscription to all wakes when the last of them came to hold while it was paused", async () => {
  const here = await rig();
  const workers = [await thread(here, "a"), await thread(here, "b")] as const;
  const { id } = subscribe(here, workers, { all: true });
  await turn(here, workers[0], "one");
  pause(here, id);
  await turn(here, workers[1], "two");
  here.world.engine.core.resumeSubscription(id);
  await macrotasks(40);
  expect(wakes(here)).toBe(1);
});

function idleFor(here: Rig): void {
  here.world.engine.core.addTrigger({
    name: "t",
    lane: here.ref,
    when: { kind: "idle_for", seconds: 60 },
    of: [],
    action: { kind: "queue", text: waiting },
    guards: noGuards,
    caller: "cli",
  });
}

test("a resumed idle_for counts from the end of the last turn, and fires once for each time that it idles", async () => {
  const here = await rig();
  const { core } = here.world.engine;
  idleFor(here);
  core.pauseTrigger("t");
  await turn(here, here.ref, "hello");
  await here.clock.advance(40 * second);
  core.resumeTrigger("t");
  await here.clock.advance(15 * second);
  expect(core.trigger("t").fired).toBe(0);
  await here.clock.advance(10 * second);
  await macrotasks(40);
  expect(core.trigger("t").fired).toBe(1);
});

test("an idle_for that fired and was paused does not fire again while the thread idles still", async () => {
  const here = await rig();
  const { core, sink } = here.world.engine;
  expect(sink).toBeDefined();
  await turn(here, here.ref, "hello");
  core.addTrigger({
    name: "t",
    lane: null,
    when: { kind: "idle_for", seconds: 60 },
    of: [here.ref],
    action: { kind: "new", preset: null, name: "look", text: "look" },
    guards: noGuards,
    caller: "cli",
  });
  await here.clock.advance(70 * second);
  await macrotasks(40);
  expect(core.trigger("t").fired).toBe(1);
  core.pauseTrigger("t");
  core.resumeTrigger("t");
  await here.clock.advance(200 * second);
  await macrotasks(40);
  expect(core.trigger("t").firings).toHaveLength(1);
});

test("what was archived before a trigger was added does not pause it after a restart", async () => {
  const here = await rig();
  const { core } = here.world.engine;
  await core.archive({ ref: here.ref });
  await core.restore({ ref: here.ref });
  core.addTrigger({
    name: "t",
    lane: here.ref,
    when: { kind: "interval", seconds: 60 },
    of: [],
    action: { kind: "queue", text: "go on" },
    guards: noGuards,
    caller: "cli",
  });
  here.world.abandon();
  const { store, agent } = here.world;
  const next = testWorld({ clock: here.clock, store, threads: agent.threads });
  next.engine.begin();
  next.agent.up();
  await macrotasks(40);
  expect(next.engine.core.trigger("t").state).toBe("active");
  await next.end();
});

test("a trigger that is resumed after the clock was set back loses no moment when that is noticed", async () => {
  const here = await rig();
  const { core } = here.world.engine;
  core.addTrigger({
    name: "t",
    lane: here.ref,
    when: { kind: "cron", cron: "* * * * *", tz: "UTC" },
    of: [],
    action: { kind: "queue", text: "go on" },
    guards: { ...noGuards, catch_up: "all" },
    caller: "cli",
  });
  await here.clock.advance(second);
  core.pauseTrigger("t");
  await macrotasks(5);
  here.clock.set(-3_600_000);
  core.resumeTrigger("t");
  // It sleeps, and notices it afterwards.
  here.clock.jump(130 * second);
  await here.clock.advance(second);
  await macrotasks(20);
  expect(core.trigger("t").firings.map(({ outcome }) => outcome)).toEqual(["fired", "fired"]);
});
