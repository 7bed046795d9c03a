/** What Codex does with tools that its client gives a thread, and with their calls. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { identityOf, isAlive } from "../../../src/base/identity.ts";
import { until } from "../../support/codex-sink.ts";
import type { Step } from "../../support/provider-script.ts";
import { type AppServer, type Json, within } from "./app-server.ts";
import { namedThread, pathOf, rig, startTurn, type Thread, turnOver, turnsOf } from "./rig.ts";

const codex = rig();

const inputSchema = { type: "object", properties: { text: { type: "string" } } };
const tool = (name: string) => ({ type: "function", name, description: name, inputSchema });
const dynamicTools = [
  { type: "namespace", name: "ours_v1", description: "ours", tools: [tool("send"), tool("wait")] },
];

const threadWith = (server: AppServer): Promise<Thread> =>
  namedThread(server, { dynamicTools, sandbox: "read-only", approvalPolicy: "never", cwd: codex.home.cwd });

const call = (name: string, more: { and?: true } = {}): Step => ({
  tool: name,
  namespace: "ours_v1",
  arguments: { text: "x" },
  ...more,
});

const callsOf = (server: AppServer) => server.notes.filter(({ method }) => method === "item/tool/call");
const called = (server: AppServer, count: number) =>
  until(`${count} calls`, () => callsOf(server).length >= count);

function answer(server: AppServer, at: number, text: string): void {
  const result = { contentItems: [{ type: "inputText", text }], success: true };
  server.write(JSON.stringify({ id: callsOf(server)[at]!.id, result }));
}

/** What the model of the last request was offered of ours, and what its calls brought. */
const offered = () => {
  const tools = codex.provider.requests.at(-1)!.body.tools ?? [];
  const ours = tools.find(({ name }) => name === "ours_v1") as { tools?: { name: string }[] } | undefined;
  return ours?.tools?.map(({ name }) => name).toSorted() ?? [];
};
const outputs = () =>
  (codex.provider.requests.at(-1)!.body.input ?? [])
    .filter(({ type }) => type?.endsWith("_output"))
    .map(({ output }) => output);

const turn = async (server: AppServer, threadId: string) =>
  turnOver(server, await startTurn(server, threadId, "hello"));

const toolsInFile = (path: string): string[] => {
  const { payload } = JSON.parse(readFileSync(path, "utf8").split("\n", 1)[0]!);
  return (payload.dynamic_tools ?? []).map(({ name }: { name: string }) => name);
};

test("are kept through a kill, a resume, a fork, a revert and a compaction", async () => {
  const one = await codex.server();
  const { id, path } = await threadWith(one);
  await turn(one, id);
  expect(offered()).toEqual(["send", "wait"]);
  expect(toolsInFile(path)).toEqual(["ours_v1"]);
  await one.kill();

  const two = await codex.server();
  await two.call("thread/resume", { threadId: id, excludeTurns: true, dynamicTools: [tool("other")] });
  await turn(two, id);
  expect(offered()).toEqual(["send", "wait"]);

  const fork = await two.call("thread/fork", { threadId: id, dynamicTools: [tool("other")] });
  const forked = fork["thread"] as { id: string; path: string };
  expect(toolsInFile(forked.path)).toEqual(["ours_v1"]);
  await turn(two, forked.id);
  expect(offered()).toEqual(["send", "wait"]);
  expect(JSON.stringify(codex.provider.requests.at(-1)!.body.tools)).not.toContain('"other"');

  const [newest] = await turnsOf(two, id);
  await two.call("thread/revert", { threadId: id, beforeTurnId: newest!.id });
  await turn(two, id);
  expect(offered()).toEqual(["send", "wait"]);
  expect(toolsInFile(await pathOf(two, id))).toEqual(["ours_v1"]);

  const before = two.notes.filter(({ method }) => method === "turn/completed").length;
  await two.call("thread/compact/start", { threadId: id });
  await until(
    "the end of the compaction",
    () => two.notes.filter(({ method }) => method === "turn/completed").length > before,
  );
  await turn(two, id);
  expect(offered()).toEqual(["send", "wait"]);
  await two.kill();
}, 30_000);

test("are not given to a sub-agent", async () => {
  const one = await codex.server();
  const { id } = await threadWith(one);
  const message = JSON.stringify([call("send"), { say: "child" }]);
  const steps: Step[] = [
    { tool: "spawn_agent", namespace: "multi_agent_v1", arguments: { message } },
    { say: "x" },
  ];
  await turnOver(one, await startTurn(one, id, steps));
  const child = () =>
    codex.provider.requests.findLast(({ body }) => JSON.stringify(body.input).includes("unsupported call"));
  await until("the child's answer", () => child() !== undefined);
  expect(JSON.stringify(child()!.body.tools)).not.toContain("ours_v1");
  expect(callsOf(one)).toEqual([]);
  await one.kill();
}, 30_000);

test("two calls of one answer come at once, and each answer reaches the model", async () => {
  const one = await codex.server();
  const { id } = await threadWith(one);
  const running = await startTurn(one, id, [call("send", { and: true }), call("wait"), { say: "end" }]);
  await called(one, 2);
  // In either order.
  expect(
    callsOf(one)
      .map(({ params }) => [params["threadId"], params["tool"]])
      .toSorted(),
  ).toEqual([
    [id, "send"],
    [id, "wait"],
  ]);
  const { thread } = await one.call("thread/read", { threadId: id, includeTurns: false });
  expect((thread as Json)["status"]).toEqual({ type: "active", activeFlags: [] });
  answer(one, 1, "second");
  answer(one, 0, "first");
  expect((await turnOver(one, running)).status).toBe("completed");
  expect(outputs().toSorted()).toEqual(["first", "second"]);
  await one.kill();
}, 30_000);

test("an interrupt ends a call that waits, and nothing says that it is resolved", async () => {
  const one = await codex.server();
  const { id } = await threadWith(one);
  const running = await startTurn(one, id, [call("wait"), { say: "end" }]);
  await called(one, 1);
  await one.call("turn/interrupt", { threadId: id, turnId: running });
  expect((await turnOver(one, running)).status).toBe("interrupted");
  answer(one, 0, "too late");
  await turn(one, id);
  expect(outputs()).toEqual(["dynamic tool call was cancelled before receiving a response"]);
  expect(one.notes.map(({ method }) => method)).not.toContain("serverRequest/resolved");
  await one.kill();
}, 30_000);

test("a waiting call is sent again by a resume, with its id", async () => {
  const one = await codex.server();
  const { id } = await threadWith(one);
  const running = await startTurn(one, id, [call("wait"), { say: "end" }]);
  await called(one, 1);
  await one.call("thread/resume", { threadId: id, excludeTurns: true });
  await called(one, 2);
  const [first, again] = callsOf(one);
  expect(again).toEqual(first!);
  answer(one, 0, "once");
  await turnOver(one, running);
  expect(outputs()).toEqual(["once"]);
  await one.kill();
}, 30_000);

test("a call that waits when the app-server is killed is over: the model reads that it was aborted", async () => {
  const one = await codex.server();
  const { id } = await threadWith(one);
  await startTurn(one, id, [call("wait"), { say: "end" }]);
  await called(one, 1);
  await one.kill();
  const two = await codex.server();
  await two.call("thread/resume", { threadId: id, excludeTurns: true });
  expect((await turnsOf(two, id))[0]!.status).toBe("interrupted");
  await turn(two, id);
  expect(callsOf(two)).toEqual([]);
  expect(outputs()).toEqual(["aborted"]);
  await two.kill();
}, 30_000);

test("an app-server ends with its owner although a call waits, and the call is over", async () => {
  const one = await codex.server([process.execPath, join(import.meta.dir, "owner.ts")]);
  const { id } = await threadWith(one);
  await startTurn(one, id, [call("wait"), { say: "end" }]);
  await called(one, 1);
  const { pid } = await one.heard("owner/pid");
  const child = identityOf(pid as number)!;
  await one.kill();
  const gone = until("the end of the app-server", () => !isAlive(child));
  await within("the end of the app-server", gone);

  const two = await codex.server();
  expect((await turnsOf(two, id))[0]!.status).toBe("interrupted");
  await two.call("thread/resume", { threadId: id, excludeTurns: true });
  await turn(two, id);
  expect(callsOf(two)).toEqual([]);
  expect(outputs()).toEqual(["dynamic tool call was cancelled before receiving a response"]);
  await two.kill();
}, 30_000);
