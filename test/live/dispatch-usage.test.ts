/** What models used, counted through the real Codex and checked against its rollouts, and the limits on it. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { localDay } from "../../src/base/moment.ts";
import { dispatchRig, type Rig } from "../support/dispatch.ts";
import { until } from "../support/fault.ts";
import { type Step, stringify } from "../support/provider-script.ts";

setDefaultTimeout(120_000);

let rig: Rig;
beforeAll(async () => {
  rig = dispatchRig();
  await rig.ask(["up"]);
});
afterAll(() => rig.dispose());

const cost = (input: number, output: number, cached = 0, reasoning = 0): Step => ({
  usage: { input, output, cached, reasoning },
});

/** The sum of all answers that the rollouts have a record of, each once. */
function recorded(): { input: number; cached: number; output: number; reasoning: number } {
  const sessions = join(rig.codex.home, "sessions");
  const answers = new Map<string, Record<string, number>>();
  for (const file of readdirSync(sessions, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".jsonl")) continue;
    for (const line of readFileSync(join(sessions, file), "utf8").split("\n")) {
      if (!line.includes('"token_usage_record"')) continue;
      const { response_id, usage } = JSON.parse(line).payload;
      answers.set(response_id, usage);
    }
  }
  const sum = (key: string) => [...answers.values()].reduce((all, usage) => all + usage[key]!, 0);
  return {
    input: sum("input_tokens"),
    cached: sum("cached_input_tokens"),
    output: sum("output_tokens"),
    reasoning: sum("reasoning_output_tokens"),
  };
}

const used = (...args: string[]) => rig.ask(["usage", ...args]);
/** Until its turn is over, well or badly. */
const turn = async (ref: string, ...steps: Step[]) => {
  await rig.ask(["send", ref, stringify(steps)]);
  await rig.run(["wait", ref, "--timeout", "30"]);
};

/** Until the turn that ran at a kill is found to be over: cut, or not if it ended just before. */
const isOver = (ref: string) =>
  until(
    "the end of the turn",
    async () => (await rig.ask(["get", ref])).latest_turn.status !== "in_progress",
  );

test("every answer is counted once: failed turns, an overflow, a compaction, a fork, a revert, sub-agents, kills", async () => {
  const { ref } = await rig.ask(["new", "--name", "worker"]);
  await turn(ref, cost(1000, 20, 100, 5), { shell: "true" }, cost(1100, 30, 200), { say: "x" });
  const limited = { error: { type: "usage_limit_reached", message: "used up", resets_at: 1 } };
  await turn(ref, { status: 429, body: limited });
  await turn(ref, cost(5, 5), { say: "half" }, { drop: true });
  await turn(ref, cost(1200, 40), { say: "x" });
  expect((await used()).total).toMatchObject(recorded());

  await rig.ask(["send", ref, "--model", "another-model", stringify([cost(1300, 50), { say: "x" }])]);
  await rig.ask(["wait", ref, "--timeout", "30"]);
  const spawn = { message: stringify([cost(700, 7, 70, 3), { say: "child over" }]) };
  await turn(
    ref,
    cost(800, 8),
    { tool: "spawn_agent", namespace: "multi_agent_v1", arguments: spawn },
    cost(900, 9),
    { say: "spawned" },
  );
  await until("the child's tokens", async () => (await used()).total.cached === 370);
  expect((await used()).total).toMatchObject(recorded());
  expect((await used()).used).toMatchObject([{ thread: ref, title: "worker" }]);

  const fork = (await rig.ask(["fork", ref, "--name", "copy"])).ref;
  await turn(fork, cost(400, 4), { say: "x" });
  await turn(ref, { status: 400, body: { error: { code: "context_length_exceeded", message: "long" } } });
  await turn(ref, cost(3000, 70), { say: "after the overflow" });
  await turn(ref, cost(3100, 75), { say: "x" });
  const before = recorded();
  expect((await used()).total).toMatchObject({ ...before, incomplete: false });
  expect((await used("--thread", fork)).total).toMatchObject({ input: 400, output: 4 });
  expect((await used("--by", "model")).used).toMatchObject([
    { model: "mock-model" },
    { model: "another-model", input: 1300, output: 50 },
  ]);
  const today = { day: localDay(Date.now()), total: before.input + before.output };
  expect((await used("--by", "day")).used).toMatchObject([today]);

  // A child that dies between two answers, and a daemon that does.
  await rig.ask(["send", ref, stringify([cost(3200, 80), { shell: "true" }, { wait: "never" }])]);
  await rig.provider.reached("never");
  process.kill((await rig.pids()).child!, "SIGKILL");
  await isOver(ref);
  await turn(ref, cost(3300, 85), { say: "x" });
  expect((await used()).total).toMatchObject({ ...recorded(), incomplete: false });
  await rig.ask(["send", ref, stringify([cost(3400, 90), { shell: "true" }, { wait: "never-too" }])]);
  await rig.provider.reached("never-too");
  process.kill((await rig.pids()).daemon, "SIGKILL");
  await rig.ask(["up"]);
  await isOver(ref);
  await turn(ref, cost(3500, 95), { say: "x" });
  // A daemon that stands still while an answer comes, and dies then: it is in Codex's total when the thread is opened.
  const { daemon } = await rig.pids();
  await rig.ask([
    "send",
    ref,
    stringify([cost(3600, 99), { shell: "true" }, { wait: "unheard" }, cost(3700, 1)]),
  ]);
  await rig.provider.reached("unheard");
  const heard = recorded().input;
  process.kill(daemon, "SIGSTOP");
  rig.provider.release("unheard");
  await until("the answer in the rollout", async () => recorded().input === heard + 3700);
  process.kill(daemon, "SIGKILL");
  await rig.ask(["up"]);
  await isOver(ref);
  expect((await used()).total.input).toBe(heard);
  await turn(ref, cost(3800, 2), { say: "x" });
  const all = recorded();
  expect(all.input).toBe(before.input + 3200 + 3300 + 3400 + 3500 + 3600 + 3700 + 3800);
  expect((await used()).total).toMatchObject({ ...all, incomplete: false });

  await rig.ask(["revert", ref, "--turns", "1", "--yes"]);
  await turn(ref, cost(9000, 10), { say: "x" });
  expect((await used()).total.input).toBe(all.input + 9000);
});

test("the account's windows are shown as last seen, with their age, also by the next daemon", async () => {
  const { ref } = await rig.ask(["new", "--name", "account"]);
  const resetsAt = Math.ceil(Date.now() / 1000) + 3600;
  const headers = {
    "x-codex-primary-used-percent": "42.5",
    "x-codex-primary-window-minutes": "300",
    "x-codex-primary-reset-at": String(resetsAt),
  };
  await turn(ref, { headers }, cost(10, 1), { say: "x" });
  await turn(ref, cost(10, 1), { say: "no headers" });
  await rig.ask(["down"]);
  await rig.ask(["up"]);
  const { windows } = await used();
  expect(windows).toEqual([
    {
      provider: "mock",
      limit: "codex",
      window: "primary",
      used_percent: 43,
      window_minutes: 300,
      resets_at: new Date(resetsAt * 1000).toISOString(),
      as_of: expect.any(String),
      age_seconds: expect.any(Number),
    },
  ]);
  const shown = (await rig.run(["usage", "--no-json"])).stdout;
  expect(shown).toMatch(/thread +title +in +cached +out +reasoning +total/);
  expect(shown).toMatch(/mock codex +5 h +43 %/);
});

test("the permission profiles of a directory are Codex's own and those of its configuration, also without Codex", async () => {
  const { profiles, source } = await rig.ask(["permissions"]);
  expect(source).toBe("live");
  expect(profiles).toContainEqual({ id: ":read-only", description: null, allowed: true });
  expect(await rig.ask(["permissions", "--no-refresh"])).toMatchObject({ source: "registry", profiles });
  expect((await rig.run(["permissions", "--no-json"])).stdout).toMatch(/:workspace +allowed/);
});

test("a limit lets what runs go on, keeps the rest with its reason, and ends when a person raises it", async () => {
  const config = (text: string) => writeFileSync(join(rig.home, "config.toml"), text);
  const { ref } = await rig.ask(["new", "--name", "limited"]);
  config("[limits]\ntokens_per_thread = 1000\n");
  await rig.ask(["send", ref, stringify([cost(990, 20), { shell: "true" }, { wait: "on" }, { say: "y" }])]);
  await rig.provider.reached("on");
  const { receipt } = await rig.ask(["send", ref, "--queue", "later"]);
  rig.provider.release("on");
  await until("its end", async () => (await rig.ask(["get", ref])).latest_turn.status === "completed");
  await until("the reason", async () => (await rig.ask(["get", ref])).queue.reason !== null);
  const reason = expect.stringContaining("[limits] tokens_per_thread");
  expect(await rig.ask(["receipt", "get", receipt])).toMatchObject({ state: "queued", waits: reason });
  expect((await rig.ask(["queue", "list", ref])).queue.reason).toEqual(reason);
  expect((await rig.run(["queue", "list", ref, "--no-json"])).stdout).toContain("waits: ");
  const listed = (await rig.ask(["list"])).threads.find((thread: { ref: string }) => thread.ref === ref);
  expect(listed.queue.reason).toEqual(reason);
  const refused = await rig.refused(["send", ref, "now"]);
  expect(refused).toMatchObject({ code: "thread_busy", message: reason });
  expect(refused.hint).toContain("config.toml");
  const { events } = await rig.ask(["events", "--kinds", "limit.*", "--thread", ref]);
  expect(events.map(({ kind }: { kind: string }) => kind)).toEqual(["limit.near", "limit.full"]);
  expect((await used()).limits).toMatchObject([{ limit: "tokens_per_thread", max: 1000, state: "full" }]);
  config("[limits]\ntokens_per_thread = 1000000\n");
  await rig.ask(["wait", receipt, "--timeout", "30"]);
  rmSync(join(rig.home, "config.toml"));
});
