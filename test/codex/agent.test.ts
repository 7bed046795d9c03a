/** What Codex answers after the deadline of a call that loads a thread: core is told, and nothing is undone here. */
import { afterEach, expect, test } from "bun:test";
import { limits } from "../../src/base/limits.ts";
import { type CodexAgent, codexAgent } from "../../src/codex/agent.ts";
import { handClock } from "../support/codex-clock.ts";
import { fakeCodex } from "../support/codex-fake.ts";
import { quietLog, recordingSink } from "../support/codex-sink.ts";

const endings: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

const settings = { cwd: "/repo" };
const asked: Record<string, (codex: CodexAgent) => Promise<unknown>> = {
  "thread/start": (codex) => codex.startThread(settings),
  "thread/resume": (codex) => codex.resumeThread("T", settings),
  "thread/fork": (codex) => codex.forkThread("S", { settings, last_turn_id: null, mark: "abc.1" }),
};

test.each([
  ["thread/start", "dispatch", { mark: null, is_durable: false }],
  ["thread/resume", "dispatch", { mark: null, is_durable: false }],
  ["thread/fork", "dispatch:abc.1", { mark: "abc.1", is_durable: true }],
])("a late answer to %s is told", async (method, threadSource, expected) => {
  const thread = { id: "T", threadSource, cwd: "/repo", status: { type: "idle" } };
  const fake = fakeCodex({ held: { method, result: { thread } } });
  const clock = handClock();
  const sink = recordingSink();
  const codex = codexAgent({
    sink,
    clock,
    log: quietLog,
    env: { PATH: process.env["PATH"] },
    version: "0.0.0",
    executable: async () => fake.path,
    random: () => 1,
  });
  endings.push(fake.cleanup, async () => {
    process.kill(codex.status().pid!, "SIGKILL");
    await codex.close();
  });
  codex.start();
  await codex.ready(10_000);
  const call = asked[method]!(codex).then(
    () => "answered",
    (thrown: { code: string }) => thrown.code,
  );
  for (let passed = 0; passed <= limits.codex.loadTimeoutMs; passed += limits.codex.pingEveryMs) {
    await clock.advance(limits.codex.pingEveryMs);
    // It answers in order: after this the ping is answered too.
    await codex.readGoal("T");
  }
  expect(await call).toBe("timeout");
  await codex.cleanBackground("T");
  expect(sink.events()).toEqual([{ kind: "thread_late", thread_id: "T", ...expected }]);
});
