/** How the real Codex tells what becomes of a turn when the model, or a tool, does not do as it should. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { type CodexAgent, codexAgent } from "../../src/codex/agent.ts";
import type { AgentEvent } from "../../src/core/model/ports/agentevent.ts";
import type { ThreadSettings } from "../../src/core/model/ports/thread.ts";
import { type CodexHome, codexExecutable, codexHome } from "../support/codex.ts";
import { quietLog, type RecordingSink, recordingSink, until } from "../support/codex-sink.ts";
import { type Provider, startProvider } from "../support/provider.ts";
import { type Step, stringify } from "../support/provider-script.ts";

let provider: Provider;
let home: CodexHome;
let sink: RecordingSink;
let codex: CodexAgent;

beforeAll(async () => {
  provider = startProvider();
  const server = JSON.stringify(join(import.meta.dir, "../support/codex-mcp.ts"));
  home = codexHome(
    provider.url,
    `[mcp_servers.echo]\ncommand = ${JSON.stringify(process.execPath)}\nargs = [${server}]\n`,
  );
  sink = recordingSink();
  codex = codexAgent({
    sink,
    clock: systemClock,
    log: quietLog,
    env: home.env,
    version: "0.0.0",
    executable: async () => codexExecutable(),
    random: () => 0,
  });
  codex.start();
  await codex.ready(20_000);
}, 30_000);

afterAll(async () => {
  await codex.close();
  await provider.stop();
  home.cleanup();
}, 30_000);

type Of<K> = Extract<AgentEvent, { kind: K }>;

async function play(script: Step[], settings: Partial<ThreadSettings> = {}) {
  const { thread } = await codex.startThread({ cwd: home.cwd, ...settings });
  const events = () => sink.events().filter((event) => "thread_id" in event && event.thread_id === thread.id);
  const { turn_id } = await codex.startTurn({
    thread_id: thread.id,
    text: stringify(script),
    client_id: "c",
  });
  return {
    thread_id: thread.id,
    turn_id,
    of: <K extends AgentEvent["kind"]>(kind: K) =>
      events().filter((event): event is Of<K> => event.kind === kind),
    async end() {
      const find = () =>
        events().find((event): event is Of<"turn_completed"> => event.kind === "turn_completed");
      await until("the end of the turn", () => find() !== undefined);
      return find()!.turn;
    },
  };
}

const limit = { error: { type: "usage_limit_reached", message: "limit" } };
const overload = { error: { code: "server_is_overloaded", message: "busy" } };

test.each<[string, Step, string]>([
  ["401", { status: 401 }, "httpConnectionFailed"],
  ["429", { status: 429 }, "responseTooManyFailedAttempts"],
  ["429 of a usage limit", { status: 429, body: limit }, "usageLimitExceeded"],
  ["500", { status: 500 }, "internalServerError"],
  ["503", { status: 503 }, "httpConnectionFailed"],
  ["503 of an overload", { status: 503, body: overload }, "serverOverloaded"],
  ["a dropped stream", { drop: true }, "other"],
  ["a full context", { fail: "context_length_exceeded" }, "contextWindowExceeded"],
  ["an overloaded server", { fail: "server_is_overloaded" }, "serverOverloaded"],
  ["a refused prompt", { fail: "invalid_prompt" }, "other"],
])("%s from the provider fails the turn", async (_, step, kind) => {
  const turn = await (await play([step])).end();
  expect(turn.status).toBe("failed");
  expect(turn.error!.kind).toBe(kind);
  expect(turn.error!.message).not.toBe("");
});

test("a stream that is dropped once is told as a retry with its cause, and the turn completes", async () => {
  const playing = await play([{ drop: true, times: 1 }, { say: "in the end" }], {
    config: { "model_providers.mock.stream_max_retries": 2 },
  });
  expect((await playing.end()).status).toBe("completed");
  expect(playing.of("turn_retrying").map((event) => event.message)).toEqual([
    expect.stringMatching(/^Reconnecting\.\.\. 1\/2: stream disconnected/),
  ]);
  expect(playing.of("item_completed").at(-1)!.item.text).toBe("in the end");
});

test("a provider that hangs keeps the turn running until it is interrupted", async () => {
  for (const hang of ["before_headers", "mid_stream"] as const) {
    const seen = provider.requests.length;
    const playing = await play([{ hang }]);
    await until("the model is asked", () => provider.requests.length > seen);
    await codex.interruptTurn(playing.thread_id, playing.turn_id);
    expect((await playing.end()).status).toBe("interrupted");
  }
});

test("what the provider says it used is told", async () => {
  const playing = await play([{ usage: { input: 7, output: 5, cached: 3, reasoning: 2 } }, { say: "x" }]);
  await playing.end();
  expect(playing.of("tokens").at(-1)!.total).toMatchObject({
    input: 7,
    cached: 3,
    output: 5,
    reasoning: 2,
    total: 12,
  });
});

test("an MCP tool asks by an elicitation, runs on accept, and its result is an item", async () => {
  const script: Step[] = [
    { tool: "echo", namespace: "mcp__echo", arguments: { text: "again" } },
    { say: "so" },
  ];
  const playing = await play(script, { approval_policy: "on-request", sandbox: "read-only" });
  const find = () =>
    sink
      .events()
      .find((event) => event.kind === "request_opened" && event.request.thread_id === playing.thread_id) as
      | Of<"request_opened">
      | undefined;
  await until("the elicitation", () => find() !== undefined);
  const { request } = find()!;
  expect(request).toMatchObject({ kind: "mcp_tool_approval", turn_id: playing.turn_id });
  expect(request.asks).toMatchObject({ tool: { server: "echo", name: "echo" }, may_persist: true });
  const result = { action: "accept", content: {}, _meta: null };
  await codex.reply(codex.status().epoch!, { rpc_id: request.rpc_id, result });
  expect((await playing.end()).status).toBe("completed");
  const call = playing.of("item_completed").find((event) => event.item.type === "mcp_tool_call")!.item;
  expect(call).toMatchObject({ command: "echo.echo", text: "again", status: "completed" });
});

test("an answer that makes no sense fails the item and not the turn", async () => {
  const playing = await play([{ shell: "touch never", escalate: "why" }, { say: "on" }], {
    approval_policy: "on-request",
    sandbox: "read-only",
  });
  const find = () =>
    sink
      .events()
      .find((event) => event.kind === "request_opened" && event.request.thread_id === playing.thread_id) as
      | Of<"request_opened">
      | undefined;
  await until("the approval", () => find() !== undefined);
  const { rpc_id } = find()!.request;
  await codex.reply(codex.status().epoch!, { rpc_id, error: { code: -32000, message: "nobody is there" } });
  expect((await playing.end()).status).toBe("completed");
  expect(playing.of("item_completed").find((event) => event.item.type === "command")!.item.status).toBe(
    "failed",
  );
});
