/** Tokens are counted once each, whatever Codex repeats, and to whom they belong. */
import { expect, test } from "bun:test";
import { localDay } from "../../../src/base/moment.ts";
import type { Spent, Tokens } from "../../../src/core/model/ports/usage.ts";
import { gained } from "../../../src/core/state/tokens.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, type Rig, rig } from "../rig.ts";

const spent = (input: number, output: number, cached = 0, reasoning = 0): Spent => ({
  ...{ input, output, cached, reasoning },
  total: input + output,
});
const sum = (a: Spent, b: Spent): Spent => ({
  total: a.total + b.total,
  input: a.input + b.input,
  cached: a.cached + b.cached,
  output: a.output + b.output,
  reasoning: a.reasoning + b.reasoning,
});
const one = spent(1000, 20, 100, 5);
const two = spent(1100, 30);
const plain = spent(1000, 20);
const overflow: Spent = { total: 258_400, input: 0, cached: 0, output: 0, reasoning: 0 };

test.each([
  ["the first answer of a thread", null, one, one, true, one, false],
  ["a second answer", one, sum(one, two), two, true, two, false],
  ["what a turn without an answer repeats", one, one, one, true, null, false],
  ["a thread whose history is older than its row", null, sum(one, two), two, false, null, false],
  ["an answer in a thread whose total was never seen", null, sum(one, two), two, true, two, false],
  ["answers that were missed, at a resume", one, sum(one, sum(two, two)), two, false, sum(two, two), false],
  [
    "answers that were missed, at the next one",
    one,
    sum(one, sum(two, one)),
    one,
    true,
    sum(two, one),
    false,
  ],
  ["an overflow", one, overflow, { ...overflow, total: 258_400 - one.total }, true, null, false],
  ["an answer after an overflow", overflow, sum(overflow, two), two, true, two, false],
  ["an estimate after a compaction", one, one, { ...overflow, total: 6296 }, true, null, false],
  ["an overflow that was missed, with an answer", plain, sum(overflow, two), two, true, two, true],
  ["an overflow that was missed, at a resume", plain, sum(overflow, two), two, false, null, true],
  ["an answer after a revert", sum(one, sum(two, two)), sum(one, two), two, true, two, false],
  [
    "an answer after a revert that is larger than what was reverted",
    sum(plain, plain),
    sum(plain, two),
    two,
    true,
    two,
    false,
  ],
  ["what a kill took from the history", sum(one, two), one, one, false, null, false],
] as const)("%s", (_, known, total, last, isRunning, counted, incomplete) => {
  expect(gained(known, { total, last, isRunning })).toEqual({ spent: counted, incomplete });
});

const usage = (here: Rig, by: "thread" | "day" | "model" = "thread") =>
  here.world.engine.core.usage({ ref: null, since: null, by });
const turn = (...steps: Partial<Tokens>[]) =>
  JSON.stringify([...steps.map((step) => ({ usage: step })), { say: "done" }]);

test("the answers of turns are counted for their thread, day and model, and no resume counts them again", async () => {
  const here = await rig();
  const { agent, store } = here.world;
  await here.reaches(await here.send(turn(one, two)), "done");
  await here.reaches(await here.send(turn(two), { overrides: { model: "other" } }), "done");
  const models = [
    {
      thread: null,
      title: null,
      day: null,
      model: store.lanes.get(here.ref).effective!.model,
      ...sum(one, two),
    },
    { thread: null, title: null, day: null, model: "other", ...two },
  ].map((row) => ({ ...row, incomplete: false }));
  expect(usage(here, "model").used).toEqual(models);
  agent.kill();
  agent.up();
  await here.reaches(await here.send("no answer with usage"), "done");
  expect(usage(here, "model").used).toEqual(models);
  expect(usage(here, "day").used).toEqual([
    {
      ...{ thread: null, title: null, model: null, day: localDay(here.clock.now()) },
      ...sum(one, sum(two, two)),
      incomplete: false,
    },
  ]);
  expect(usage(here).used).toMatchObject([{ thread: here.ref, title: "docs", total: 3280 }]);
});

test("a sub-agent is charged to its root, with its own model, however late the root becomes known", async () => {
  const here = await rig();
  const { agent } = here.world;
  const root_id = here.view().id!;
  const child = { kind: "tokens" as const, thread_id: "child", turn_id: "t", context_window: null };
  agent.tell({ ...child, root_id: "child", model: null, total: one, last: one });
  await macrotasks(5);
  expect(usage(here).used).toEqual([]);
  agent.tell({ ...child, root_id, model: "small", total: sum(one, two), last: two });
  agent.tell({ ...child, root_id, model: "small", total: sum(one, two), last: two });
  await until("the count", () => usage(here).used.length > 0);
  expect(usage(here).used).toMatchObject([{ thread: here.ref, ...sum(one, two) }]);
  expect(usage(here, "model").used).toMatchObject([{ model: "small", ...sum(one, two) }]);
});

test("what a thread used before it was attached is not counted, and what it uses then is", async () => {
  const here = await rig();
  const { agent, engine } = here.world;
  const id = agent.madeElsewhere("theirs", "hello");
  const old = { kind: "tokens" as const, thread_id: id, root_id: id, model: null, context_window: null };
  await engine.core.attach(id, "cli");
  agent.tell({ ...old, turn_id: "older", total: one, last: one });
  await macrotasks(5);
  expect(usage(here).used).toEqual([]);
  agent.tell({ ...old, turn_id: "older", total: sum(one, two), last: two });
  await until("the count", () => usage(here).used.length > 0);
  expect(usage(here).total).toMatchObject(two);
});

test("the first answers of a new thread are counted although its daemon heard of none of its turns", async () => {
  const here = await rig();
  await here.reaches(await here.send("hello"), "done");
  const thread_id = here.view().id!;
  const told = { kind: "tokens" as const, thread_id, root_id: thread_id, model: null, context_window: null };
  here.world.agent.tell({ ...told, turn_id: "unheard", total: sum(one, two), last: two });
  await until("the count", () => usage(here).used.length > 0);
  expect(usage(here).total).toMatchObject(sum(one, two));
});

test("what Codex's totals cannot tell is called incomplete", async () => {
  const here = await rig();
  await here.reaches(await here.send(turn(one)), "done");
  const thread_id = here.view().id!;
  const told = { kind: "tokens" as const, thread_id, root_id: thread_id, model: null, context_window: null };
  here.world.agent.tell({ ...told, turn_id: "lost", total: sum(overflow, two), last: two });
  await until("the count", () => usage(here).total.incomplete);
  expect(usage(here).used).toMatchObject([{ ...one, incomplete: true }]);
});

test("the windows of the account stay as they were last seen, and a report without them changes nothing", async () => {
  const here = await rig();
  const { agent } = here.world;
  await here.reaches(await here.send(turn(one)), "done");
  const report = (windows: object[]) =>
    agent.tell({ kind: "rate_limits", limits: { limit_id: "codex", windows, reached: null } as never });
  const resets_at = here.clock.now() + 3_600_000;
  report([
    { name: "primary", used_percent: 40, window_minutes: 300, resets_at },
    { name: "secondary", used_percent: 7, window_minutes: 10_080, resets_at: null },
  ]);
  report([]);
  report([{ name: "primary", used_percent: 43, window_minutes: null, resets_at: null }]);
  await until("the window", () => usage(here).windows[0]?.used_percent === 43);
  here.clock.jump(90_000);
  expect(usage(here).windows).toMatchObject([
    {
      ...{ provider: "mock", limit: "codex", window: "primary", used_percent: 43, window_minutes: 300 },
      resets_at: new Date(resets_at).toISOString(),
      age_seconds: 90,
    },
    { window: "secondary", used_percent: 7, window_minutes: 10_080, resets_at: null },
  ]);
});
