/** A usage limit is a state of the account: the queue waits for its end, whole, and goes on by itself. */

import { expect, test } from "bun:test";
import { iso } from "../../../src/base/clock.ts";
import { limits } from "../../../src/base/limits.ts";
import type { Receipt } from "../../../src/contract/receipt.ts";
import type { Condition } from "../../../src/contract/words.ts";
import { plain } from "../../../src/core/delivery/accept.ts";
import type { Policy } from "../../../src/core/model/deps.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import { openStore } from "../../../src/store/store.ts";
import { until } from "../../support/codex-sink.ts";
import { testWorld, type WorldOptions } from "../../world/world.ts";
import { macrotasks, never, type Rig, refusal, rig } from "../rig.ts";

const minute = 60_000;
const cut = (ms: number) => JSON.stringify([{ limit: ms }]);

interface Two extends Rig {
  other: Ref;
  queue(ref: Ref, text: string): Promise<Receipt>;
  /** Cut by a limit of so many ms. */
  limited(ms?: number): Promise<Receipt>;
  wait(target: string, condition: Condition, timeoutMs?: number): Promise<string>;
  of(kind: string): Record<string, unknown>[];
  /** In steps of the loop. */
  pass(ms: number): Promise<void>;
  /** A running turn fails with a usage limit, after Codex said these windows. */
  fails(receipt: Receipt, message: string, resets: number[]): Promise<void>;
}

async function two(options: WorldOptions = {}, provider?: string): Promise<Two> {
  const here = await rig(options);
  const { core } = here.world.engine;
  const settings = { cwd: "/repo", ...(provider ? { model_provider: provider } : {}) };
  const draft = { name: "other", text: null, goal: null, settings, key: null, created_by: "cli" };
  const other = (await core.create(draft, never())).ref;
  const of = (kind: string) =>
    core.events({ kinds: [kind] }, null, 1000).events.map(({ data }) => data as Record<string, unknown>);
  return {
    ...here,
    other,
    of,
    queue: (ref, text) => core.send(ref, { ...plain, mode: "queue", text }, never()),
    async limited(ms = 30 * minute) {
      const receipt = await here.send(cut(ms), { mode: "queue" });
      await until("the limit", () => here.state(receipt) === "done" && core.usageLimits().length > 0);
      return receipt;
    },
    async wait(target, condition, timeoutMs = 0) {
      const asked = { targets: [target], self: null, condition, any: false, timeoutMs, signal: never() };
      const waited = core.wait(asked);
      await here.clock.advance(1);
      return (await waited).verdict;
    },
    async pass(ms) {
      for (let at = 0; at < ms; at += limits.loop.everyMs) {
        await here.clock.advance(Math.min(limits.loop.everyMs, ms - at));
        await macrotasks(20);
      }
    },
    async fails(receipt, message, resets) {
      await here.reaches(receipt, "delivered");
      const { id, latest_turn } = core.view(receipt.thread as Ref);
      const windows = resets.map((resets_at, at) => ({
        name: at === 0 ? ("primary" as const) : ("secondary" as const),
        used_percent: 100,
        window_minutes: 300,
        resets_at,
      }));
      const error = { message, kind: "usageLimitExceeded" };
      const ended = { status: "failed" as const, error, started_at: null, completed_at: null, items: [] };
      here.world.agent.tell({ kind: "rate_limits", limits: { limit_id: "codex", windows, reached: null } });
      here.world.agent.tell({
        kind: "turn_completed",
        thread_id: id!,
        turn: { ...ended, id: latest_turn!.id },
      });
      await here.reaches(receipt, "done");
    },
  };
}

const usage = (policy: Partial<Policy["usageLimits"]>) => ({
  policy: { usageLimits: { continue: "queue" as const, nudge: null, ...policy } },
});

test.each([{}, { policy: { releaseAfter: ["failed" as const] } }])(
  "nothing starts in any thread before the reset, then all that waits runs by itself (%p)",
  async (options) => {
    const here = await two(options);
    const { core } = here.world.engine;
    const first = await here.limited();
    const waiting: Receipt[] = [];
    for (const ref of [here.ref, here.other])
      for (const text of ["one", "two", "three"]) waiting.push(await here.queue(ref, text));
    await here.pass(20 * minute);
    expect(here.world.agent.asked).toHaveLength(1);
    expect(waiting.map(({ receipt }) => core.receipt(receipt))).toEqual(
      waiting.map(() => expect.objectContaining({ state: "queued", attempt: 0, held: null })),
    );
    await here.pass(11 * minute);
    expect(waiting.map((one) => here.state(one))).toEqual(waiting.map(() => "done"));
    expect(here.world.agent.asked).toHaveLength(7);
    expect(core.receipt(first.receipt)).toMatchObject({ state: "done", outcome: "failed", attempt: 1 });
    expect(core.usageLimits()).toEqual([]);
  },
);

test("every thread of that provider says until when, and one that waits says why", async () => {
  const here = await two();
  const { core } = here.world.engine;
  const reset = here.clock.now() + 30 * minute;
  await here.limited();
  await here.queue(here.other, "one");
  await macrotasks(20);
  const [limit] = core.usageLimits();
  expect(limit!.until).toBeGreaterThanOrEqual(reset + limits.usageLimit.jitterMinMs);
  expect(limit!.until).toBeLessThan(
    reset + limits.usageLimit.jitterMinMs + limits.usageLimit.jitterMs + 1000,
  );
  const limited = { until: iso(limit!.until), reason: "You have hit your usage limit." };
  expect(here.view()).toMatchObject({ limited, queue: { held: false, reason: null } });
  expect(core.view(here.other)).toMatchObject({
    limited,
    queue: { pending: 1, held: false, reason: expect.stringContaining(`limited until ${limited.until}`) },
  });
  expect(core.queue(here.other, null, 10).queue.reason).toContain("limited until");
  await here.pass(31 * minute);
  expect(here.view().limited).toBeNull();
  expect(here.of("limit.reached")).toEqual([
    expect.objectContaining({ provider: "mock", until: limited.until }),
  ]);
  expect(here.of("limit.ended")).toEqual([{ provider: "mock", why: "reset" }]);
});

test("a plain send is refused at once with the time, and stores nothing", async () => {
  const here = await two();
  await here.limited();
  const { code, message, hint, data } = await refusal(
    here.world.engine.core.send(here.other, { ...plain, text: "now" }, never()),
  );
  const until = iso(here.world.engine.core.usageLimits()[0]!.until);
  expect({ code, data }).toEqual({ code: "thread_busy", data: { limited_until: until } });
  expect(message).toContain(until);
  expect(hint).toContain("--queue");
  expect(here.world.engine.core.view(here.other).queue.pending).toBe(0);
});

test("a start that is under way when the limit begins is not made", async () => {
  const here = await two();
  await here.pass(minute);
  const { store, clock, agent } = here.world;
  const now = clock.now();
  const row = { provider: "mock", limit_id: "codex", began_at: now, reason: "used up" };
  // It is asked whether the thread is idle: after the look at the limits, and before the claim.
  agent.beforeNext("readThread", () =>
    store.usageLimits.put({ ...row, resets_at: now + minute, until: now + minute }),
  );
  const receipt = await here.queue(here.other, "one");
  await until("a limit", () => store.usageLimits.list().length > 0);
  await macrotasks(40);
  expect(here.world.engine.core.receipt(receipt.receipt)).toMatchObject({ state: "queued", attempt: 0 });
  await here.pass(2 * minute);
  expect(here.state(receipt)).toBe("done");
});

test("a thread of another provider works on, and one of the limited provider does not", async () => {
  const here = await two({}, "second");
  await here.limited();
  await here.reaches(await here.queue(here.other, "mine"), "done");
  expect(here.world.engine.core.view(here.other).limited).toBeNull();
  expect((await refusal(here.send("now"))).code).toBe("thread_busy");
});

test("a wall clock that is set back makes it no longer", async () => {
  const here = await two();
  await here.limited(30 * minute);
  const waiting = await here.queue(here.ref, "later");
  here.clock.set(-24 * 60 * minute);
  await here.pass(29 * minute);
  expect(here.of("limit.ended")).toEqual([]);
  await here.pass(2 * minute);
  await here.reaches(waiting, "done");
});

test("a window below 100 % ends it early", async () => {
  const here = await two();
  await here.limited();
  const receipt = await here.queue(here.other, "one");
  await here.pass(minute);
  here.world.agent.unlimit();
  here.world.agent.tellWindow(3, here.clock.now() + 300 * minute);
  await macrotasks(20);
  expect(here.of("limit.ended")).toEqual([{ provider: "mock", why: "early" }]);
  await here.pass(limits.loop.everyMs);
  await here.reaches(receipt, "done");
});

test("what a turn says that began before the limit, or one of another provider, ends nothing", async () => {
  const here = await two({}, "second");
  const { core } = here.world.engine;
  const running = await core.send(here.other, { ...plain, text: '[{"wait":"go"}]' }, never());
  await here.reaches(running, "delivered");
  await here.limited();
  here.world.agent.tellWindow(99, here.clock.now() + 30 * minute);
  await macrotasks(20);
  expect(core.usageLimits()).toHaveLength(1);
  here.world.agent.release("go");
  await here.reaches(running, "done");
});

test("an update without a window says nothing", async () => {
  const here = await two();
  await here.limited();
  here.world.agent.tell({ kind: "rate_limits", limits: { limit_id: "codex", windows: [], reached: null } });
  await macrotasks(20);
  expect(here.world.engine.core.usageLimits()).toHaveLength(1);
});

test("a person who knows better ends it", async () => {
  const here = await two();
  await here.limited();
  const receipt = await here.queue(here.other, "one");
  here.world.agent.unlimit();
  here.world.engine.core.retryAgent();
  await here.reaches(receipt, "done");
  expect(here.of("limit.ended")).toEqual([{ provider: "mock", why: "by_hand" }]);
});

test("with continue = hold, what waits when it ends is held for a person", async () => {
  const here = await two(usage({ continue: "hold" }));
  await here.limited();
  expect(here.view().queue).toMatchObject({ held: true, reason: "failed" });
  const receipt = await here.queue(here.other, "one");
  await here.pass(31 * minute);
  const { core } = here.world.engine;
  expect(core.usageLimits()).toEqual([]);
  expect(core.view(here.other).queue).toMatchObject({ pending: 1, held: true, reason: "stopped" });
  core.release(here.other);
  await here.reaches(receipt, "done");
});

test("a nudge goes once to the thread that was cut, ahead of what waits there, and to no other", async () => {
  const here = await two(usage({ nudge: "go on" }));
  here.world.engine.core.hold(here.ref);
  const first = await here.queue(here.ref, cut(30 * minute));
  await here.queue(here.ref, "one");
  here.world.engine.core.release(here.ref);
  await here.reaches(first, "done");
  await here.queue(here.other, "two");
  expect(here.view().queue.pending).toBe(2);
  await here.pass(31 * minute);
  expect(here.world.agent.asked.filter((text) => text === "go on")).toHaveLength(1);
  const mine = here.world.engine.core.receipts({ ref: here.ref, states: null, limit: 10 });
  expect(mine.find(({ cause }) => cause === first.receipt)).toMatchObject({ state: "done", mode: "queue" });
  const texts = here.world.agent.asked.filter((text) => text !== "two");
  expect(texts.slice(1)).toEqual(["go on", "one"]);
});

test("it outlives the daemon and its Codex, and ends while neither of them ran", async () => {
  const store = openStore(":memory:", 0);
  const here = await two({ store, ...usage({ nudge: "go on" }) });
  await here.limited();
  const receipt = await here.queue(here.other, "one");
  const { threads } = here.world.agent;
  here.world.abandon();
  const next = testWorld({ store, clock: here.clock, threads, ...usage({ nudge: "go on" }) });
  for (const { id } of store.epochs.unended()) next.engine.sink.onExit(id, "it died with its daemon");
  next.engine.begin();
  next.agent.up();
  await here.pass(20 * minute);
  expect(next.agent.asked).toEqual([]);
  expect(next.engine.core.view(here.other).limited).not.toBeNull();
  next.agent.kill();
  await here.pass(11 * minute);
  expect(next.engine.core.usageLimits()).toEqual([]);
  next.agent.up();
  await here.pass(minute);
  expect(next.engine.core.receipt(receipt.receipt).state).toBe("done");
  expect(next.agent.asked.toSorted()).toEqual(["go on", "one"]);
});

const running = '[{"wait":"go"}]';

test.each([
  ["without a reset", []],
  ["whose reset is in the past", [-minute]],
])("a usage limit %s is none in time: it holds its thread, in its own words", async (_, resets) => {
  const here = await two();
  const now = here.clock.now();
  await here.fails(
    await here.send(running),
    "not in your plan",
    resets.map((ms) => now + ms),
  );
  expect(here.view()).toMatchObject({
    limited: null,
    queue: { held: true, reason: "failed" },
    latest_turn: { error: { message: "not in your plan" } },
  });
  expect(await here.wait(here.ref, "attention")).toBe("ok");
  await here.reaches(await here.queue(here.other, "mine"), "done");
});

test("a reset that Codex reported before one failure is not used for the next", async () => {
  const here = await two();
  const { core } = here.world.engine;
  await here.fails(await here.send(running), "used up", [here.clock.now() + minute]);
  core.retryAgent();
  await here.fails(await core.send(here.other, { ...plain, text: running }, never()), "not in your plan", []);
  expect(core.usageLimits()).toEqual([]);
  expect(core.view(here.other).queue).toMatchObject({ held: true, reason: "failed" });
});

test("a reset that is later than any window is cut, and that is reported", async () => {
  const here = await two();
  const now = here.clock.now();
  await here.fails(await here.send(running), "used up", [now + 1000 * limits.timer.dayMs]);
  const [limit] = here.world.engine.core.usageLimits();
  expect(Math.abs(limit!.until - now - limits.usageLimit.maxMs)).toBeLessThan(minute);
  expect(limit!.reason).toMatch(/^used up \(.*32 days/);
  expect(here.of("limit.reached")[0]).toMatchObject({ doubt: expect.stringContaining("32 days") });
});

test("of two windows that are used up the later reset counts, and a later limit extends the first", async () => {
  const here = await two();
  const { core } = here.world.engine;
  const cutLater = await core.send(here.other, { ...plain, text: running }, never());
  await here.reaches(cutLater, "delivered");
  await here.limited(5 * minute);
  const week = here.clock.now() + 7 * limits.timer.dayMs;
  await here.fails(cutLater, "used up", [here.clock.now() + 5 * minute, week]);
  const [limit, ...more] = core.usageLimits();
  expect(more).toEqual([]);
  expect(limit).toMatchObject({ provider: "mock", resets_at: week });
  await here.pass(6 * minute);
  expect(core.usageLimits()).toHaveLength(1);
});

test("a wait for what waits keeps waiting, and attention is only what does not go on by itself", async () => {
  const here = await two();
  const first = await here.limited();
  expect(await here.wait(first.receipt, "done")).toBe("turn_failed");
  // Nothing follows the turn that was cut.
  expect(await here.wait(here.ref, "attention")).toBe("ok");
  const next = await here.queue(here.ref, "one");
  for (const [target, condition] of [
    [here.ref, "attention"],
    [here.ref, "done"],
    [next.receipt, "done"],
    [here.other, "attention"],
  ] as const)
    expect(await here.wait(target, condition)).toBe("timeout");
  const waiting = here.wait(next.receipt, "done", limits.timer.dayMs);
  await here.pass(31 * minute);
  expect(await waiting).toBe("ok");
});

test("the goal of a new thread starts no turn before the reset", async () => {
  const here = await two();
  const { core } = here.world.engine;
  await here.limited();
  const draft = { name: "goal", text: null, goal: "ship it", key: null, created_by: "cli" };
  const { ref } = await core.create({ ...draft, settings: { cwd: "/repo" } }, never());
  await here.pass(minute);
  expect(core.view(ref).goal?.status).toBe("paused");
  await here.pass(31 * minute);
  expect(core.view(ref).goal?.status).toBe("active");
});
