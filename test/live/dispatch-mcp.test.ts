/** `dispatch mcp` as a host starts it: the SDK's own client over stdio, and a daemon that nobody started before. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { until } from "../daemon/rig.ts";
import { binary, dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;
let client: Client;

beforeAll(async () => {
  rig = dispatchRig();
  client = await connected([]);
});

afterAll(async () => {
  await client.close();
  await rig.dispose();
});

async function connected(args: string[], env: Record<string, string> = {}): Promise<Client> {
  const made = new Client({ name: "test", version: "0" });
  await made.connect(
    new StdioClientTransport({
      command: binary,
      args: ["mcp", ...args],
      env: { ...rig.env, ...env },
      cwd: rig.codex.cwd,
    }),
  );
  return made;
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads any field of any answer, and what is not there fails it
type Answer = any;

async function call(name: string, args: Json, more: Parameters<Client["callTool"]>[2] = {}): Promise<Answer> {
  return client.callTool({ name, arguments: args }, undefined, more);
}

async function ask(name: string, args: Json, more: Parameters<Client["callTool"]>[2] = {}): Promise<Answer> {
  const answer = await call(name, args, more);
  if (answer.isError) throw new Error(JSON.stringify(answer));
  expect(JSON.parse(answer.content[0].text)).toEqual(answer.structuredContent);
  return answer.structuredContent;
}

test("it lists its tools with schemas and hints, and has started no daemon for that", async () => {
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name);
  expect(names).toEqual(
    expect.arrayContaining([
      "dispatch_thread_read",
      "dispatch_thread_write",
      "dispatch_thread_destroy",
      "dispatch_message_write",
      "dispatch_request_write",
      "dispatch_daemon_read",
    ]),
  );
  for (const { inputSchema, outputSchema, annotations, name } of tools) {
    expect(inputSchema.type).toBe("object");
    expect(Object.keys(inputSchema)).not.toContain("oneOf");
    expect(outputSchema!.type).toBe("object");
    expect(annotations!.openWorldHint).toBe(false);
    expect(annotations!.readOnlyHint ?? false).toBe(name.endsWith("_read"));
    expect(annotations!.destructiveHint).toBe(name.endsWith("_destroy"));
  }
  expect(existsSync(join(rig.home, "dispatch.sock"))).toBe(false);
});

test("the first call starts the daemon", async () => {
  expect(await ask("dispatch_thread_read", { op: "list" })).toEqual({ threads: [] });
  expect((await rig.ask(["daemon", "status"])).pid).toBeGreaterThan(0);
});

test("an agent creates a thread, waits for it and reads what it said", async () => {
  const made = await ask("dispatch_thread_write", {
    op: "new",
    name: "worker",
    text: "hello",
    cwd: rig.codex.cwd,
  });
  expect(made).toMatchObject({ title: "worker", handle: "worker", receipt: expect.any(String) });
  expect(await ask("dispatch_thread_read", { op: "wait", threads: ["@worker"], timeout: 20 })).toMatchObject({
    verdict: "ok",
  });
  const { items } = await ask("dispatch_thread_read", { op: "tail", thread: "@worker" });
  expect(items.at(-1)).toMatchObject({ type: "agent_message", text: "ok: hello" });
});

test("what is optional may be null, as models write it", async () => {
  const input = { op: "list", status: null, cwd: null, limit: null };
  expect((await ask("dispatch_thread_read", input)).threads).toHaveLength(1);
});

test("the caller is the thread that the call names, else the one that the server was started in", async () => {
  const { id, ref } = await rig.ask(["get", "@worker"]);
  const answer: Answer = await client.callTool({
    name: "dispatch_thread_read",
    arguments: { op: "get", thread: "self" },
    _meta: { threadId: id },
  });
  expect(answer.structuredContent.ref).toBe(ref);
  const inside = await connected([], { CODEX_THREAD_ID: id });
  const self = { name: "dispatch_thread_read", arguments: { op: "get", thread: "self" } };
  const starter: Answer = await inside.callTool(self);
  expect(starter.structuredContent.ref).toBe(ref);
  const person: Answer = await client.callTool(self);
  expect(person.isError).toBe(true);
  await inside.close();
});

test("wait tells of its progress, and a killed daemon only makes it wait on", async () => {
  const text = stringify([{ wait: "mcp" }, { say: "never" }]);
  await ask("dispatch_message_write", { op: "send", thread: "@worker", text });
  await rig.provider.reached("mcp");
  let told = 0;
  const waiting = ask(
    "dispatch_thread_read",
    { op: "wait", threads: ["@worker"], timeout: 30 },
    { onprogress: () => void told++ },
  );
  await until(() => told > 0, "progress");
  process.kill((await rig.pids()).daemon, "SIGKILL");
  expect(await waiting).toMatchObject({ verdict: "turn_failed" });
});

test("a cancelled wait ends at once, and the connection serves on", async () => {
  const text = stringify([{ wait: "cancelled" }, { say: "over" }]);
  await ask("dispatch_message_write", { op: "send", thread: "@worker", text });
  await rig.provider.reached("cancelled");
  const cancel = new AbortController();
  let told = 0;
  const waiting = ask(
    "dispatch_thread_read",
    { op: "wait", threads: ["@worker"] },
    { signal: cancel.signal, onprogress: () => void told++ },
  ).then(
    () => "answered",
    () => "cancelled",
  );
  await until(() => told > 0, "progress");
  cancel.abort("enough");
  expect(await waiting).toBe("cancelled");
  rig.provider.release("cancelled");
  expect((await ask("dispatch_thread_read", { op: "list" })).threads).toHaveLength(1);
});

test.each<[string, Json, string, number]>([
  ["dispatch_thread_read", { op: "get", thread: "@nobody" }, "not_found", 4],
  ["dispatch_thread_read", { op: "gte", thread: "@worker" }, "usage", 2],
  ["dispatch_thread_read", { op: "get", thraed: "@worker" }, "usage", 2],
  ["dispatch_thread_write", { op: "new", name: "Worker" }, "conflict", 12],
  ["dispatch_thread_destroy", { op: "forget", thread: "@nobody" }, "not_found", 4],
])("%s %j is an error that says its code", async (tool, args, code, exit) => {
  const answer = await call(tool, args);
  expect(answer).toMatchObject({ isError: true, _meta: { code, exit_code: exit } });
  expect(answer.content[0].text).toMatch(/\S/);
});

test("a stopped daemon is not started by a call", async () => {
  await rig.ask(["down", "--force"]);
  const answer = await call("dispatch_thread_read", { op: "list" });
  expect(answer).toMatchObject({ isError: true, _meta: { code: "daemon_down", retry: "later" } });
  await rig.ask(["up"]);
  expect((await ask("dispatch_thread_read", { op: "list" })).threads).toHaveLength(1);
});

test("--flat gives each op a tool of its own", async () => {
  const flat = await connected(["--flat"]);
  const answer: Answer = await flat.callTool({ name: "dispatch_list", arguments: {} });
  expect(answer.structuredContent.threads).toHaveLength(1);
  await flat.close();
});

test("the server ends when its host closes its input", async () => {
  const child = Bun.spawn([binary, "mcp"], { env: rig.env, stdin: "pipe", stdout: "ignore", stderr: "pipe" });
  child.stdin.end();
  expect(await child.exited).toBe(0);
});
