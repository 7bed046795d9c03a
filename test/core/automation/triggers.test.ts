/** Triggers by the clock and by the log, on a clock that the test sets. */
import { expect, test } from "bun:test";
import { noGuards } from "../../../src/core/automation/row.ts";
import type { TriggerDraft } from "../../../src/core/automation/triggers.ts";
import { plain } from "../../../src/core/delivery/accept.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import { macrotasks, never, type Rig, rig, waiting } from "../rig.ts";

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

/** Lets time go by in small steps, as it does. */
async function pass(here: Rig, ms: number, step = 5 * second): Promise<void> {
  for (let left = ms; left > 0; left -= step) {
    await here.clock.advance(Math.min(step, left));
    await macrotasks(6);
  }
}

async function another(here: Rig, name: string): Promise<Ref> {
  const settings = { cwd: "/repo", sandbox: "read-only" as const };
  const draft = { name, text: null, goal: null, settings, key: null, created_by: "cli" };
  return (await here.world.engine.core.create(draft, never())).ref;
}

const sent = (here: Rig, ref = here.ref) =>
  here.world.store.messages
    .list({ lane: ref, limit: 100 })
    .map(({ text }) => text)
    .reverse();
const firings = (here: Rig, name = "t") => here.world.engine.core.trigger(name).firings.reverse();

test("an interval fires after each period, and each firing is a message of the ledger", async () => {
  const here = await rig();
  const { id } = trigger(here);
  await pass(here, 59 * second);
  expect(sent(here)).toEqual([]);
  await pass(here, 130 * second);
  expect(sent(here)).toEqual(["go on", "go on", "go on"]);
  const [message] = here.world.store.messages.list({ lane: here.ref, limit: 1 });
  expect(message).toMatchObject({ state: "done", caller: "trigger t", depth: 1 });
  expect(firings(here).map(({ outcome }) => outcome)).toEqual(["fired", "fired", "fired"]);
  expect(here.world.engine.core.trigger(id)).toMatchObject({ fired: 3, failures: 0, state: "active" });
  expect(here.kinds().filter((kind) => kind === "trigger.fired")).toHaveLength(3);
});

test("moments that passed while nobody looked are caught up once, not at all, or each", async () => {
  for (const [catch_up, texts] of [
    ["one", 1],
    ["none", 0],
    ["all", 3],
  ] as const) {
    const here = await rig();
    trigger(here, { when: { kind: "interval", seconds: 600 }, guards: { ...noGuards, catch_up } });
    // A sleep: no timer fires until it is over.
    here.clock.jump(35 * 60 * second);
    await pass(here, 40 * second);
    expect(sent(here)).toHaveLength(texts);
    expect(firings(here).reduce((sum, { slots }) => sum + slots, 0)).toBe(3);
  }
});

test("a text has its variables, and what is filled in is data of limited length", async () => {
  const here = await rig();
  trigger(here, {
    action: { kind: "queue", text: "look at {{thread.title}} ({{thread.ref}}) {{turn.error}}" },
  });
  await pass(here, 65 * second);
  expect(sent(here)).toEqual([`look at docs (${here.ref}) `]);
});

test("guards: busy threads, the last text that has not ended, a pause between, a number, an end", async () => {
  const here = await rig();
  await here.send(waiting);
  trigger(here, { name: "idle", guards: { ...noGuards, idle_only: true } });
  trigger(here, { name: "dedupe", guards: { ...noGuards, dedupe: true } });
  trigger(here, { name: "twice", guards: { ...noGuards, max_fires: 2 } });
  trigger(here, { name: "slow", guards: { ...noGuards, min_interval: 90 * second } });
  await pass(here, 185 * second);
  expect(firings(here, "idle").map(({ outcome, reason }) => [outcome, reason])).toEqual(
    Array(3).fill(["skipped", `thread ${here.ref} is busy`]),
  );
  expect(firings(here, "dedupe").map(({ outcome }) => outcome)).toEqual(["fired", "skipped", "skipped"]);
  expect(here.world.engine.core.trigger("twice")).toMatchObject({ fired: 2, state: "ended" });
  expect(firings(here, "slow").map(({ outcome }) => outcome)).toEqual(["fired", "skipped", "fired"]);
});

test("a condition fires once each time that it comes to hold, an event each time that it happens", async () => {
  const here = await rig();
  const target = await another(here, "parent");
  const of = [here.ref];
  trigger(here, {
    name: "done",
    lane: target,
    of,
    when: { kind: "condition", conditions: ["done"], all: false },
  });
  trigger(here, {
    name: "event",
    lane: target,
    of,
    when: { kind: "event", kinds: ["turn.completed"] },
    action: { kind: "queue", text: "{{event.kind}}" },
  });
  const failing = JSON.stringify([{ fail: "no such luck" }]);
  trigger(here, {
    name: "failed",
    lane: target,
    of,
    when: { kind: "condition", conditions: ["failed"], all: false },
    action: { kind: "queue", text: "{{turn.error}}" },
  });
  for (const text of ["one", "two", failing]) {
    await here.send(text);
    await macrotasks(80);
  }
  await pass(here, 10 * second);
  expect(sent(here, target).toSorted()).toEqual(
    ["go on", "go on", "go on", "no such luck", "turn.completed", "turn.completed"].toSorted(),
  );
});

test("idle_for fires once an idle period", async () => {
  const here = await rig();
  trigger(here, { when: { kind: "idle_for", seconds: 120 }, guards: { ...noGuards, max_fires: 3 } });
  await pass(here, 110 * second);
  expect(sent(here)).toEqual([]);
  await pass(here, 20 * second);
  expect(sent(here)).toEqual(["go on"]);
  await pass(here, 130 * second);
  expect(sent(here)).toEqual(["go on", "go on"]);
});

test("a trigger whose thread takes nothing any more is paused, and says why", async () => {
  const here = await rig();
  trigger(here);
  await here.world.engine.core.archive({ ref: here.ref });
  await pass(here, 10 * second);
  expect(here.world.engine.core.trigger("t")).toMatchObject({
    state: "paused",
    reason: `thread ${here.ref} is archived`,
  });
  expect(here.kinds()).toContain("trigger.paused");
});

test("a thread that takes nothing any more, though no event said so, pauses its trigger at the next moment", async () => {
  const here = await rig();
  trigger(here);
  here.world.store.lanes.set(here.ref, { gone_at: 1 });
  await pass(here, 65 * second);
  expect(here.world.engine.core.trigger("t")).toMatchObject({ state: "paused", fired: 0 });
});

test("a moment that is to be skipped and fired before, as after a clock that was set back, is passed", async () => {
  const here = await rig();
  const guards = { ...noGuards, catch_up: "none" } as const;
  trigger(here, { when: { kind: "cron", cron: "*/10 * * * *", tz: "UTC" }, guards });
  await pass(here, 11 * 60 * second, 20 * second);
  expect(here.world.engine.core.trigger("t").fired).toBe(1);
  here.clock.set(-15 * 60 * second);
  here.clock.jump(25 * 60 * second);
  await pass(here, 15 * 60 * second, 20 * second);
  const { state, next_due, firings: rows } = here.world.engine.core.trigger("t");
  expect(state).toBe("active");
  expect(Date.parse(next_due!)).toBeGreaterThan(here.clock.now());
  expect(new Set(rows.map(({ slot }) => slot)).size).toBe(rows.length);
});

test("what happened before a trigger was added is no reason to fire", async () => {
  const here = await rig();
  const target = await another(here, "target");
  trigger(here, { name: "first", lane: target });
  await macrotasks(20);
  here.world.journal.commit((change) =>
    change.append({ kind: "turn.completed", lane: here.ref, turn_id: "t", data: { origin: "ours" } }),
  );
  trigger(here, {
    name: "event",
    lane: target,
    of: [here.ref],
    when: { kind: "event", kinds: ["turn.completed"] },
  });
  await pass(here, 10 * second);
  expect(here.world.engine.core.trigger("event").fired).toBe(0);
});

test("five failures in a row pause it; another one is not touched", async () => {
  const here = await rig();
  const other = await another(here, "other");
  await here.send(waiting);
  trigger(here, { name: "busy", action: { kind: "send", text: "now" } });
  trigger(here, { name: "fine", lane: other });
  await pass(here, 20 * 60 * second, 15 * second);
  expect(here.world.engine.core.trigger("busy")).toMatchObject({ state: "paused", failures: 5 });
  expect(here.world.engine.core.trigger("fine")).toMatchObject({ state: "active", fired: 19 });
});

test("two threads that wake each other are stopped after eight hops, and go on when released", async () => {
  const here = await rig();
  const other = await another(here, "other");
  const whenDone = { kind: "condition", conditions: ["done"], all: false } as const;
  trigger(here, { name: "there", lane: other, of: [here.ref], when: whenDone });
  trigger(here, { name: "back", lane: here.ref, of: [other], when: whenDone });
  await here.send("begin");
  await pass(here, 60 * second);
  const total = sent(here).length + sent(here, other).length;
  expect(total).toBe(9);
  const { core } = here.world.engine;
  const states = ["there", "back"].map((name) => core.trigger(name).state);
  expect(states).toContain("paused");
  const paused = states[0] === "paused" ? "there" : "back";
  expect(core.trigger(paused).reason).toContain("loop");
  core.resumeTrigger(paused);
  expect(core.trigger(paused).state).toBe("active");
});

test("a new thread each time, and never two for one moment", async () => {
  const here = await rig();
  trigger(here, { lane: null, action: { kind: "new", preset: null, name: "nightly", text: "look" } });
  await pass(here, 125 * second);
  const titles = here.world.engine.core.list({ archived: false, limit: 10 }).map(({ title }) => title);
  const made = titles.filter((title) => title.startsWith("nightly"));
  expect(made).toHaveLength(2);
  for (const title of made) expect(title).toMatch(/^nightly \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
});

test("a clock that is set back by a day neither stops an interval nor repeats a moment of a day", async () => {
  const here = await rig();
  trigger(here, { name: "often" });
  trigger(here, { name: "daily", when: { kind: "cron", cron: "* * * * *", tz: "UTC" } });
  await pass(here, 125 * second);
  const before = here.world.engine.core.trigger("daily").fired;
  here.clock.set(-24 * 3_600_000);
  await pass(here, 125 * second);
  expect(here.world.engine.core.trigger("often").fired).toBeGreaterThanOrEqual(3);
  expect(before).toBeGreaterThanOrEqual(2);
  const slots = firings(here, "daily").map(({ slot }) => slot);
  expect(new Set(slots).size).toBe(slots.length);
});

test("a test tells what would be refused, in its words, and stores nothing", async () => {
  const here = await rig();
  const { core } = here.world.engine;
  trigger(here, { name: "steers", action: { kind: "steer", text: "x" } });
  trigger(here, { name: "sends", action: { kind: "send", text: "x" } });
  const before = here.kinds().length;
  expect(core.testTrigger("steers")).toMatchObject({
    would: "fail",
    reason: expect.stringContaining("runs no turn to steer"),
  });
  expect(core.testTrigger("sends")).toMatchObject({ would: "fire", reason: null });
  expect([sent(here), here.kinds().length]).toEqual([[], before]);
  await core.send(here.ref, { ...plain, text: waiting }, never());
  await macrotasks(40);
  expect(core.testTrigger("sends")).toMatchObject({
    would: "fail",
    reason: expect.stringContaining("runs a turn"),
  });
  expect(core.testTrigger("steers")).toMatchObject({ would: "fire", reason: null });
  expect(sent(here)).toEqual([waiting]);
});

test("a preset that is not there is refused when the trigger is added, and told by its test when it went", async () => {
  const presets: Record<string, object> = { reviewer: {} };
  const here = await rig({ config: { own: { defaults: {}, presets } } } as never);
  const action = { kind: "new", preset: "reviewer", name: "review", text: "look" } as const;
  trigger(here, { lane: null, action });
  expect(here.world.engine.core.testTrigger("t")).toMatchObject({ would: "fire", reason: null });
  delete presets["reviewer"];
  expect(here.world.engine.core.testTrigger("t")).toMatchObject({
    would: "fail",
    reason: expect.stringContaining('no preset "reviewer"'),
  });
  expect(() => trigger(here, { name: "u", lane: null, action })).toThrow('no preset "reviewer"');
  const goal = { ...action, preset: null, text: "/goal ship it" };
  expect(() => trigger(here, { name: "v", lane: null, action: goal })).toThrow("a goal is not text");
});

test("a test shows the moments at which it fires: after a delay, as often as it may, and none while it is paused", async () => {
  const here = await rig();
  const { core } = here.world.engine;
  const next = () => core.testTrigger("t").next.map((at) => Date.parse(at));
  trigger(here, { guards: { ...noGuards, max_fires: 2 } });
  const due = Date.parse(core.trigger("t").next_due!);
  expect(next()).toEqual([due, due + 60 * second]);
  here.world.store.automations.set(core.trigger("t").id, { due_at: due + 7 * second });
  expect(next()[0]).toBe(due + 7 * second);
  core.pauseTrigger("t");
  expect(next()).toEqual([]);
});
