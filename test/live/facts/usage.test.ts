/** What Codex says of the tokens that models used. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Step } from "../../support/provider-script.ts";
import type { AppServer, Json } from "./app-server.ts";
import { namedThread, pathOf, rig, startTurn, type Thread, turnOver, turnsOf } from "./rig.ts";

const here = rig();

const usage = (input: number, output: number, cached = 0, reasoning = 0): Step => ({
  usage: { input, output, cached, reasoning },
});

async function run(server: AppServer, thread: Thread | { id: string }, ...steps: Step[]): Promise<string> {
  const turn = await startTurn(server, thread.id, steps);
  await turnOver(server, turn);
  return turn;
}

const parts = (tokens: Json) =>
  ["totalTokens", "inputTokens", "cachedInputTokens", "outputTokens", "reasoningOutputTokens"].map(
    (name) => tokens[name] as number,
  );

/** The total and the last of each report about a thread, from that note on. */
function reports(server: AppServer, threadId: string, from = 0): { turn: string; told: number[][] }[] {
  return server.notes.slice(from).flatMap(({ method, params }) => {
    if (method !== "thread/tokenUsage/updated" || params["threadId"] !== threadId) return [];
    const { total, last } = params["tokenUsage"] as { total: Json; last: Json };
    return [{ turn: params["turnId"] as string, told: [parts(total), parts(last)] }];
  });
}

const told = (server: AppServer, threadId: string, from = 0) =>
  reports(server, threadId, from).map((report) => report.told);

/** The input of each answer, as the rollout has it. */
const recorded = (path: string): number[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.includes('"token_usage_record"'))
    .map((line) => JSON.parse(line).payload.usage.input_tokens);

test("a total grows by each answer, and is reported again by a turn without one, a resume and a fork", async () => {
  const one = await here.server();
  const thread = await namedThread(one);
  await run(one, thread, usage(1000, 20, 100, 5), { shell: "true" }, usage(1100, 30), {
    say: "x",
  });
  const last = [1130, 1100, 0, 30, 0];
  expect(told(one, thread.id)).toEqual([
    [
      [1020, 1000, 100, 20, 5],
      [1020, 1000, 100, 20, 5],
    ],
    [[2150, 2100, 100, 50, 5], last],
  ]);
  const at = one.notes.length;
  const limited = { error: { type: "usage_limit_reached", message: "used up", resets_at: 1 } };
  const failed = await run(one, thread, { status: 429, body: limited });
  expect(reports(one, thread.id, at)).toEqual([{ turn: failed, told: [[2150, 2100, 100, 50, 5], last] }]);
  await one.kill();

  const two = await here.server();
  await two.call("thread/resume", { threadId: thread.id });
  const isOf = (id: string) => (params: Json) => params["threadId"] === id;
  await two.heard("thread/tokenUsage/updated", isOf(thread.id));
  expect(told(two, thread.id)).toEqual([[[2150, 2100, 100, 50, 5], last]]);
  expect(reports(two, thread.id)[0]!.turn).toBe(failed);
  const fork = (await two.call("thread/fork", { threadId: thread.id }))["thread"] as { id: string };
  await two.heard("thread/tokenUsage/updated", isOf(fork.id));
  await run(two, fork, usage(2000, 10), { say: "x" });
  expect(told(two, fork.id)).toEqual([
    [[2150, 2100, 100, 50, 5], last],
    [
      [4160, 4100, 100, 60, 5],
      [2010, 2000, 0, 10, 0],
    ],
  ]);
  await two.kill();
}, 30_000);

test("an overflow makes the total the window's size, a revert takes it back, and the rollout counts each answer", async () => {
  const one = await here.server();
  const thread = await namedThread(one);
  await run(one, thread, usage(1000, 20), { say: "x" });
  const code = "context_length_exceeded";
  await run(one, thread, { status: 400, body: { error: { code, message: "too long" } } });
  const window = [258_400, 0, 0, 0, 0];
  expect(told(one, thread.id).at(-1)).toEqual([window, [258_400 - 1020, 0, 0, 0, 0]]);
  const at = one.notes.length;
  // Codex compacts before it answers; its own answer is of the script's default.
  await run(one, thread, usage(3000, 70), { say: "x" });
  const after = told(one, thread.id, at);
  expect(after[0]![0]).toEqual(window);
  expect(after).toContainEqual([
    [259_420, 1000, 0, 20, 0],
    [1020, 1000, 0, 20, 0],
  ]);
  expect(after).toContainEqual([
    [259_420, 1000, 0, 20, 0],
    [expect.any(Number), 0, 0, 0, 0],
  ]);
  expect(after.at(-1)).toEqual([
    [262_490, 4000, 0, 90, 0],
    [3070, 3000, 0, 70, 0],
  ]);
  expect(recorded(await pathOf(one, thread.id))).toEqual([1000, 1000, 3000]);

  const turns = await turnsOf(one, thread.id);
  await one.call("thread/revert", { threadId: thread.id, beforeTurnId: turns.at(-2)!.id });
  await run(one, thread, usage(4000, 80), { say: "x" });
  expect(told(one, thread.id).at(-1)).toEqual([
    [5100, 5000, 0, 100, 0],
    [4080, 4000, 0, 80, 0],
  ]);
  await one.kill();
}, 30_000);
