/** The limits of the user: what is over one waits and says why, goes on by itself, and no running turn is cut. */
import { expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import { nextLocalDay } from "../../../src/base/moment.ts";
import type { Receipt } from "../../../src/contract/receipt.ts";
import { plain } from "../../../src/core/delivery/accept.ts";
import type { Budgets } from "../../../src/core/model/deps.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, never, type Rig, refusal, rig } from "../rig.ts";

const none: Budgets = {
  ...{ turns: null, turnsPerCwd: null },
  ...{ tokensPerDay: null, tokensPerThread: null, pauseAtPercent: null },
};

interface Limited extends Rig {
  /** The configuration as it is now. */
  budgets: Budgets;
  add(name: string, cwd?: string): Promise<Ref>;
  queue(ref: Ref, text: string): Promise<Receipt>;
  events(...kinds: string[]): unknown[];
  pass(ms: number): Promise<void>;
}

async function limited(set: Partial<Budgets>, maxRunningTurns: number | null = null): Promise<Limited> {
  const budgets = { ...none, ...set };
  const here = await rig({ policy: { budgets, maxRunningTurns } });
  const { core } = here.world.engine;
  return {
    ...here,
    budgets,
    async add(name, cwd = "/repo") {
      const draft = { name, text: null, goal: null, settings: { cwd }, key: null, created_by: "cli" };
      return (await core.create(draft, never())).ref;
    },
    async queue(ref, text) {
      const receipt = await core.send(ref, { ...plain, mode: "queue", text }, never());
      here.clock.jump(10);
      await macrotasks(40);
      return receipt;
    },
    events: (...kinds) => core.events({ kinds }, null, 1000).events.map(({ kind, data }) => [kind, data]),
    async pass(ms) {
      here.clock.jump(ms);
      await here.clock.advance(limits.loop.everyMs);
      await macrotasks(60);
    },
  };
}

const spends = (input: number, output: number, ...more: object[]) =>
  JSON.stringify([{ usage: { input, output } }, ...more, { say: "done" }]);
const gated = (name: string) => JSON.stringify([{ wait: name }, { say: "done" }]);

test("[limits] turns: the smaller of it and max_running_turns counts, and the message names that one", async () => {
  const here = await limited({ turns: 1 }, 5);
  const other = await here.add("other");
  await here.reaches(await here.queue(here.ref, gated("go")), "delivered");
  const second = await here.queue(other, "after");
  const { core } = here.world.engine;
  const reason = "1 turn runs, as many as [limits] turns allows";
  expect(core.view(other).queue.reason).toBe(reason);
  expect(core.receipt(second.receipt)).toMatchObject({ state: "queued", waits: reason });
  here.world.agent.release("go");
  await here.reaches(second, "done");
  expect(core.receipt(second.receipt).waits).toBeNull();
});

test("turns_per_cwd: a directory has its places, the others theirs, and a free place goes to who can use it", async () => {
  const here = await limited({ turnsPerCwd: 1, turns: 2 });
  const refs = [
    here.ref,
    await here.add("a2"),
    await here.add("b", "/repo/b"),
    await here.add("c", "/repo/c"),
  ];
  const receipts: Receipt[] = [];
  for (const [at, ref] of refs.entries()) receipts.push(await here.queue(ref, gated(`go-${at}`)));
  const states = () => receipts.map((one) => here.state(one));
  expect(states()).toEqual(["delivered", "queued", "delivered", "queued"]);
  const { core } = here.world.engine;
  expect(
    core.list({ archived: false, limit: 10 }).find(({ ref }) => ref === refs[1])!.queue.reason,
  ).toContain("turn runs");
  here.world.agent.release("go-2");
  await macrotasks(60);
  expect(states()).toEqual(["delivered", "queued", "done", "delivered"]);
  here.world.agent.release("go-3");
  await macrotasks(60);
  await here.pass(0);
  expect(core.queue(refs[1]!, null, 10)).toMatchObject({
    queue: { reason: "1 turn runs in /repo, as many as [limits] turns_per_cwd allows" },
    messages: [{ waits: "1 turn runs in /repo, as many as [limits] turns_per_cwd allows" }],
  });
  for (const at of [0, 1]) here.world.agent.release(`go-${at}`);
  await macrotasks(100);
  expect(states()).toEqual(["done", "done", "done", "done"]);
});

test("of many of one directory that see its last place free at once, one gets it", async () => {
  const here = await limited({ turnsPerCwd: 1 });
  const refs = [here.ref, await here.add("two"), await here.add("three")];
  const queued = { ...plain, mode: "queue" as const, text: gated("go") };
  await Promise.all(refs.map((ref) => here.world.engine.core.send(ref, queued, never())));
  await macrotasks(60);
  expect(here.world.agent.asked).toHaveLength(1);
});

test("tokens_per_day: all threads wait when it is used up, a running turn goes on, and tomorrow the queue does", async () => {
  const here = await limited({ tokensPerDay: 1000 });
  const { core } = here.world.engine;
  const other = await here.add("other");
  const running = await here.queue(other, JSON.stringify([{ wait: "go" }, { say: "done" }]));
  await here.reaches(running, "delivered");
  await here.reaches(await here.queue(here.ref, spends(890, 20)), "done");
  expect(here.events("limit.near", "limit.full")).toEqual([
    ["limit.near", { limit: "tokens_per_day", used: 910, max: 1000 }],
  ]);
  await here.reaches(await here.queue(here.ref, spends(90, 10)), "done");
  const after = await here.queue(here.ref, "after");
  const tomorrow = new Date(nextLocalDay(here.clock.now())).toISOString();
  expect(core.receipt(after.receipt)).toMatchObject({
    state: "queued",
    held: null,
    waits: `the 1000 tokens that [limits] tokens_per_day allows are used today: it goes on at ${tomorrow}`,
  });
  const refused = await refusal(here.send("now"));
  expect(refused).toMatchObject({ code: "thread_busy", message: expect.stringContaining("tokens_per_day") });
  expect(refused.hint).toContain("--queue");
  here.world.agent.release("go");
  await here.reaches(running, "done");
  await here.pass(60_000);
  expect(here.state(after)).toBe("queued");
  expect(here.events("limit.near", "limit.full")).toEqual([
    ["limit.near", { limit: "tokens_per_day", used: 910, max: 1000 }],
    ["limit.full", { limit: "tokens_per_day", used: 1010, max: 1000 }],
  ]);
  await here.pass(nextLocalDay(here.clock.now()) - here.clock.now());
  await here.reaches(after, "done");
});

test("tokens_per_thread: that thread waits and no other, until a person raises it", async () => {
  const here = await limited({ tokensPerThread: 100 });
  const other = await here.add("other");
  await here.reaches(await here.queue(here.ref, spends(200, 1)), "done");
  expect(here.events("limit.near", "limit.full")).toEqual([
    ["limit.near", { limit: "tokens_per_thread", used: 201, max: 100 }],
    ["limit.full", { limit: "tokens_per_thread", used: 201, max: 100 }],
  ]);
  const kept = await here.queue(here.ref, "kept");
  await here.reaches(await here.queue(other, "free"), "done");
  expect(here.view().queue.reason).toContain("[limits] tokens_per_thread");
  expect((await refusal(here.send("now"))).hint).toContain("config.toml");
  here.budgets.tokensPerThread = 1000;
  await here.pass(0);
  await here.reaches(kept, "done");
});

test("pause_at_percent: the threads of that provider wait until the window resets, or the percentage falls", async () => {
  const here = await limited({ pauseAtPercent: 90 });
  const { agent, store } = here.world;
  const resets_at = here.clock.now() + 3_600_000;
  const report = async (used_percent: number, at: number | null = resets_at) => {
    agent.tellWindow(used_percent, at);
    await until("the report", () => store.usage.windows()[0]?.used_percent === used_percent);
  };
  await here.reaches(await here.queue(here.ref, spends(1, 1)), "done");
  await report(80);
  await report(81);
  await report(91);
  await report(92);
  expect(here.events("limit.near", "limit.full")).toEqual([
    ["limit.near", { limit: "pause_at_percent", used: 80, max: 90 }],
    ["limit.full", { limit: "pause_at_percent", used: 91, max: 90 }],
  ]);
  const elsewhere = await here.add("local");
  store.lanes.set(elsewhere, {
    effective: { ...store.lanes.get(elsewhere).effective!, model_provider: "local" },
  });
  await here.reaches(await here.queue(elsewhere, "another account"), "done");
  const first = await here.queue(here.ref, "first");
  expect(here.view().queue.reason).toBe(
    `the window of 5 h of the account is 92 % used, and [limits] pause_at_percent is 90: it goes on at ${new Date(resets_at).toISOString()}`,
  );
  expect(here.world.engine.core.usage({ ref: null, since: null, by: "day" }).limits).toEqual([
    { limit: "pause_at_percent", max: 90, used: 92, state: "full" },
  ]);
  await report(50);
  await here.pass(0);
  await here.reaches(first, "done");
  await report(95);
  const second = await here.queue(here.ref, "second");
  await here.pass(1_800_000);
  expect(here.state(second)).toBe("queued");
  await here.pass(1_800_000);
  await here.reaches(second, "done");
});

test("a goal that is to begin waits for the limit, as a text does", async () => {
  const here = await limited({ tokensPerDay: 10 });
  const { core } = here.world.engine;
  await here.reaches(await here.queue(here.ref, spends(10, 1)), "done");
  const draft = { name: "goal", text: null, goal: "be done", settings: { cwd: "/repo" } };
  const { ref } = await core.create({ ...draft, key: null, created_by: "cli" }, never());
  await here.pass(0);
  expect(core.view(ref).goal).toMatchObject({ status: "paused" });
  here.budgets.tokensPerDay = null;
  await here.pass(0);
  await until("the goal", () => core.view(ref).goal?.status === "active");
});

test("a goal is refused where no turn may start, unless it is to stay paused", async () => {
  const here = await limited({ tokensPerThread: 10 });
  const { core } = here.world.engine;
  await here.reaches(await here.queue(here.ref, spends(10, 1)), "done");
  const refused = await refusal(core.setGoal(here.ref, { objective: "go on" }));
  expect(refused).toMatchObject({
    code: "thread_busy",
    message: expect.stringContaining("tokens_per_thread"),
  });
  expect(refused.hint).toContain("--status paused");
  expect(core.view(here.ref).goal).toBeNull();
  expect(await core.setGoal(here.ref, { objective: "go on", status: "paused" })).toMatchObject({
    status: "paused",
  });
  expect((await refusal(core.setGoal(here.ref, { status: "active" }))).code).toBe("thread_busy");
  here.budgets.tokensPerThread = null;
  expect(await core.setGoal(here.ref, { status: "active" })).toMatchObject({ status: "active" });
});

test("a goal takes the place of one turn: of two that are to begin, and of one beside a turn, one waits", async () => {
  const here = await limited({ turns: 1 });
  const { core } = here.world.engine;
  const draft = { text: null, settings: { cwd: "/repo" }, key: null, created_by: "cli" };
  const running = await here.queue(here.ref, gated("go"));
  await here.reaches(running, "delivered");
  const one = (await core.create({ ...draft, name: "one", goal: "this" }, never())).ref;
  const two = (await core.create({ ...draft, name: "two", goal: "that" }, never())).ref;
  const statuses = () => [one, two].map((ref) => core.view(ref).goal?.status).sort();
  await here.pass(limits.loop.everyMs);
  expect(statuses()).toEqual(["paused", "paused"]);
  expect(core.view(one).goal).toMatchObject({ waits: "it begins when a turn may start" });
  expect((await refusal(core.setGoal(two, { status: "active" }))).code).toBe("thread_busy");
  here.world.agent.release("go");
  await here.reaches(running, "done");
  await here.pass(0);
  expect(statuses()).toEqual(["active", "paused"]);
});

test("a goal that follows the turn of its own thread takes no second place, and keeps the one it has", async () => {
  const here = await limited({ turns: 2 });
  const { core } = here.world.engine;
  const other = await here.add("other");
  const third = await here.add("third");
  await here.reaches(await here.queue(here.ref, gated("go")), "delivered");
  await core.setGoal(here.ref, { objective: "go on" });
  await here.reaches(await here.queue(other, gated("other")), "delivered");
  const waits = await here.queue(third, "hello");
  await here.clock.advance(3 * limits.codex.goalStartMs);
  here.world.agent.release("go");
  await macrotasks(60);
  expect(core.receipt(waits.receipt).state).toBe("queued");
  // The limit that keeps the goal of a thread at work is named, not that of the turns.
  here.budgets.turns = 1;
  here.budgets.tokensPerThread = 0;
  await core.setGoal(other, { objective: "later", status: "paused" });
  expect((await refusal(core.setGoal(other, { status: "active" }))).message).toContain("tokens_per_thread");
});

test("a goal that is refused leaves the finished one as it was", async () => {
  const here = await limited({});
  const { core } = here.world.engine;
  await core.setGoal(here.ref, { objective: "one" });
  const thread = here.world.agent.threads.get(core.view(here.ref).id!)!;
  thread.goal = { ...thread.goal!, status: "complete" };
  here.budgets.tokensPerThread = 0;
  expect((await refusal(core.setGoal(here.ref, { objective: "two" }))).code).toBe("thread_busy");
  expect(await core.goal(here.ref)).toMatchObject({ objective: "one", status: "complete" });
});

test("a change of a goal that goes on is refused by no limit", async () => {
  const here = await limited({});
  const { core } = here.world.engine;
  await core.setGoal(here.ref, { objective: "one" });
  here.budgets.tokensPerThread = 0;
  expect(await core.setGoal(here.ref, { objective: "two" })).toMatchObject({ objective: "two" });
});
