import { afterEach, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { Tool } from "@modelcontextprotocol/sdk/types.js";
import { agreeable, type Behaviour, type FakeDaemon, fakeDaemon, type Reply } from "../support/daemon.ts";
import { daemonsOf, newHome, run, socketIn, start, until } from "../support/run.ts";

const main = join(import.meta.dir, "../support/main.ts");
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Rig {
  client: Client;
  daemon: FakeDaemon;
  transport: StdioClientTransport;
}

async function rig(behave: Behaviour = agreeable, args: readonly string[] = []): Promise<Rig> {
  const home = newHome();
  const daemon = fakeDaemon(socketIn(home), behave);
  const env = {
    HOME: home,
    PATH: process.env["PATH"] ?? "",
    DISPATCH_HOME: home,
    CODEX_THREAD_ID: "not-the-caller",
  };
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [main, "mcp", ...args],
    env,
    cwd: home,
  });
  const client = new Client({ name: "test", version: "1" });
  await client.connect(transport);
  closing.push(
    () => daemon.stop(),
    () => client.close(),
  );
  return { client, daemon, transport };
}

const textOf = (result: object) => (result as { content: { text: string }[] }).content[0]!.text;
const named = (tools: Tool[], name: string) => tools.find((tool) => tool.name === name)!;

describe("the tools", () => {
  test("are one a group and intent; what starts and stops the daemon is not among them", async () => {
    const { tools } = await (await rig()).client.listTools();
    expect(tools.map((tool) => tool.name).sort()).toEqual([
      "dispatch_daemon_read",
      "dispatch_message_write",
      "dispatch_thread_destroy",
      "dispatch_thread_read",
      "dispatch_thread_write",
    ]);
  });

  test("take flat arguments in a plain object: op, and the fields of all its ops", async () => {
    const { tools } = await (await rig()).client.listTools();
    const { inputSchema } = named(tools, "dispatch_thread_read");
    expect(inputSchema).toMatchObject({ type: "object", required: ["op"], additionalProperties: false });
    expect(inputSchema.properties).toMatchObject({
      op: { type: "string", enum: ["list", "get", "watch", "wait"] },
      limit: { type: "integer", default: 50, description: "at most so many" },
      thread: { type: "string" },
      status: { type: "array", items: { enum: ["idle", "busy"] } },
    });
    expect(inputSchema.properties).not.toHaveProperty("follow");
    expect(named(tools, "dispatch_message_write").inputSchema.required).toEqual(["op", "thread", "text"]);
    expect(JSON.stringify(tools)).not.toContain('"$ref"');
  });

  test("say that a time is in seconds, since nothing else of them does", async () => {
    const { tools } = await (await rig()).client.listTools();
    expect(named(tools, "dispatch_thread_read").inputSchema.properties).toMatchObject({
      timeout: { type: "number", description: "at most so long, in seconds" },
    });
  });

  test("say what they do to the world", async () => {
    const { tools } = await (await rig()).client.listTools();
    expect(named(tools, "dispatch_thread_read").annotations).toEqual({
      readOnlyHint: true,
      destructiveHint: false,
      idempotentHint: true,
    });
    expect(named(tools, "dispatch_thread_destroy").annotations).toEqual({
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: false,
    });
    expect(named(tools, "dispatch_message_write").annotations?.idempotentHint).toBe(false);
  });

  test("describe each op with its fields and an example", async () => {
    const { tools } = await (await rig()).client.listTools();
    expect(named(tools, "dispatch_thread_read").description).toContain(
      'get {thread}: Show a thread. Example: {"op":"get","thread":"@docs"}',
    );
    expect(named(tools, "dispatch_thread_read").description).toContain(
      "list {limit?, archived?, status?}: List the threads.",
    );
  });

  test("are one an op with --flat, without op, and with the result's own schema", async () => {
    const { client } = await rig(agreeable, ["--flat"]);
    const { tools } = await client.listTools();
    const get = named(tools, "dispatch_get");
    expect(get.inputSchema).toMatchObject({
      required: ["thread"],
      properties: { thread: { type: "string" } },
    });
    expect(get.inputSchema.properties).not.toHaveProperty("op");
    expect(get.outputSchema?.properties).toMatchObject({
      result: { type: "object", properties: { ref: { type: "string" } } },
    });
    expect(tools.map((tool) => tool.name)).toContain("dispatch_goal_set");
    const result = await client.callTool({ name: "dispatch_get", arguments: { thread: "x" } });
    expect(result.structuredContent).toEqual({ op: "get", result: { ref: "abc123", title: "docs" } });
  });
});

describe("a call", () => {
  test("answers with structured content and the same as compact JSON", async () => {
    const { client, daemon } = await rig();
    const result = await client.callTool({
      name: "dispatch_thread_read",
      arguments: { op: "get", thread: "@docs" },
    });
    expect(result.structuredContent).toEqual({ op: "get", result: { ref: "abc123", title: "docs" } });
    expect(textOf(result)).toBe('{"op":"get","result":{"ref":"abc123","title":"docs"}}');
    expect(daemon.calls[0]).toMatchObject({ op: "thread.get", input: { thread: "@docs" } });
  });

  test("of two words is spelled with an underscore", async () => {
    const { client, daemon } = await rig();
    await client.callTool({ name: "dispatch_thread_write", arguments: { op: "goal_set", thread: "x" } });
    expect(daemon.calls[0]!.op).toBe("goal.set");
  });

  test("carries the calling thread of its own _meta, and never the server's environment", async () => {
    const { client, daemon } = await rig();
    const args = { name: "dispatch_thread_read", arguments: { op: "get", thread: "x" } };
    await client.callTool(args);
    await client.callTool({ ...args, _meta: { threadId: "t-1" } });
    await client.callTool({ ...args, _meta: { "x-codex-turn-metadata": { thread_id: "t-2" } } });
    await client.callTool({ ...args, _meta: { "x-codex-turn-metadata": '{"thread_id":"t-3"}' } });
    await client.callTool({
      ...args,
      _meta: { threadId: "", "x-codex-turn-metadata": { thread_id: "t-4" } },
    });
    await client.callTool({
      ...args,
      _meta: { threadId: "t-5", "x-codex-turn-metadata": { thread_id: "" } },
    });
    // Of Codex, and without a thread: an agent all the same.
    await client.callTool({ ...args, _meta: { threadId: "" } });
    await client.callTool({ ...args, _meta: { "x-codex-turn-metadata": {} } });
    await client.callTool({ ...args, _meta: { progressToken: 1 } });
    expect(daemon.calls.map(({ caller }) => [caller.kind, caller.thread_id])).toEqual([
      ["mcp", null],
      ["mcp", "t-1"],
      ["mcp", "t-2"],
      ["mcp", "t-3"],
      ["mcp", "t-4"],
      ["mcp", "t-5"],
      ["mcp", "unknown"],
      ["mcp", "unknown"],
      ["mcp", null],
    ]);
  });

  const unreadable: Record<string, unknown>[] = [
    { threadId: 5 },
    { threadId: ["t-1"] },
    { "x-codex-turn-metadata": { thread_id: 5 } },
    { "x-codex-turn-metadata": "t-1" },
    { "x-codex-turn-metadata": 5 },
    { threadId: "t-1", "x-codex-turn-metadata": { thread_id: "t-2" } },
  ];
  for (const _meta of unreadable) {
    test(`is nobody's whose caller cannot be read: ${JSON.stringify(_meta)}`, async () => {
      const { client, daemon } = await rig();
      const args = { op: "get", thread: "x" };
      const result = await client.callTool({ name: "dispatch_thread_read", arguments: args, _meta });
      expect(result._meta).toMatchObject({ code: "usage", exit_code: 2 });
      expect(daemon.calls).toHaveLength(0);
    });
  }

  test("fills in the key that makes it safe to repeat, and leaves out what a model wrote as null", async () => {
    const { client, daemon } = await rig();
    await client.callTool({
      name: "dispatch_message_write",
      arguments: { op: "send", thread: "x", text: "y", mode: null },
    });
    expect(daemon.calls[0]!.input["idempotency_key"]).toMatch(/^[0-9a-z]{24}$/);
    expect(daemon.calls[0]!.input).not.toHaveProperty("mode");
  });

  test("that the daemon refuses is an error with words, hint, code, exit status and retry", async () => {
    const { client } = await rig((_, reply) =>
      reply.error({ code: "thread_busy", message: "a turn runs", hint: "queue: true", retry: "later" }),
    );
    const result = await client.callTool({
      name: "dispatch_thread_read",
      arguments: { op: "get", thread: "x" },
    });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toBe("a turn runs\nhint: queue: true");
    expect(result._meta).toEqual({ code: "thread_busy", exit_code: 5, retry: "later" });
  });

  const wrong: [args: Record<string, unknown>, text: string][] = [
    [{ op: "gte", thread: "x" }, 'dispatch_thread_read has no op "gte"\nhint: op: get'],
    [{ thread: "x" }, "missing op of dispatch_thread_read\nhint: op is one of: list, get, watch, wait"],
    [{ op: "get" }, "missing thread"],
    [
      { op: "get", thraed: "x" },
      'unknown field "thraed"; did you mean "thread"?\nhint: the fields of get: thread',
    ],
    [{ op: "get", thread: 5 }, "thread: must be a string, not 5"],
    [{ op: "list", limit: 1000 }, "limit: must be at most 100, not 1000"],
    [{ op: "watch", follow: true }, 'unknown field "follow"\nhint: the fields of watch: threads'],
    [{ op: "toString" }, 'dispatch_thread_read has no op "toString"'],
  ];
  for (const [args, text] of wrong) {
    test(`is refused in the caller's words: ${JSON.stringify(args)}`, async () => {
      const { client, daemon } = await rig();
      const result = await client.callTool({ name: "dispatch_thread_read", arguments: args });
      expect(result.isError).toBe(true);
      expect(textOf(result)).toStartWith(text);
      expect(result._meta).toMatchObject({ code: "usage", exit_code: 2 });
      expect(daemon.calls).toHaveLength(0);
    });
  }

  test("of a tool that is none is a protocol error", async () => {
    const { client } = await rig();
    expect(client.callTool({ name: "dispatch_nothing", arguments: {} })).rejects.toThrow(
      "there is no tool dispatch_nothing",
    );
  });

  test("whose result says something failed is no error, and tells the exit status", async () => {
    const result = await (await rig()).client.callTool({
      name: "dispatch_thread_read",
      arguments: { op: "wait", thread: "x" },
    });
    expect(result.isError).toBeUndefined();
    expect(result.structuredContent).toEqual({ op: "wait", result: { failed: true } });
    expect(result._meta).toEqual({ exit_code: 8 });
  });

  test("of an op in the client runs there", async () => {
    const { client, daemon } = await rig();
    const result = await client.callTool({ name: "dispatch_daemon_read", arguments: { op: "schema" } });
    expect((result.structuredContent as { result: { commands: string[] } }).result.commands).toContain(
      "goal set",
    );
    expect(daemon.calls).toHaveLength(0);
  });

  test("reports rows as progress to who asked for it", async () => {
    const { promise: reply, resolve } = Promise.withResolvers<Reply>();
    const { client } = await rig((_, to) => {
      for (const n of [1, 2, 3]) to.row({ n });
      resolve(to);
    });
    const seen: [number, string | undefined][] = [];
    const call = client.callTool({ name: "dispatch_thread_read", arguments: { op: "watch" } }, undefined, {
      onprogress: ({ progress, message }) => seen.push([progress, message]),
    });
    // The SDK's client forgets who wanted progress as soon as it reads the result.
    await until("three rows", () => seen.length === 3);
    (await reply).result({ events: 3 });
    expect(await call).toMatchObject({ structuredContent: { result: { events: 3 } } });
    expect(seen).toEqual([
      [1, '{"n":1}'],
      [2, '{"n":2}'],
      [3, '{"n":3}'],
    ]);
  });

  test("that is cancelled is cancelled in the daemon", async () => {
    const { client, daemon } = await rig(() => {});
    const stop = new AbortController();
    const call = client.callTool(
      { name: "dispatch_thread_read", arguments: { op: "wait", thread: "x" } },
      undefined,
      { signal: stop.signal },
    );
    await until("the call", () => daemon.calls.length === 1);
    stop.abort();
    expect(call).rejects.toThrow();
    await until("the cancel", () => daemon.cancelled.length === 1);
  });

  test("does not wait for another that runs long", async () => {
    const { client } = await rig((call, reply) => call.op === "thread.get" && agreeable(call, reply));
    void client
      .callTool({ name: "dispatch_thread_read", arguments: { op: "wait", thread: "x" } })
      .catch(() => {});
    expect(
      await client.callTool({ name: "dispatch_thread_read", arguments: { op: "get", thread: "x" } }),
    ).toHaveProperty("structuredContent");
  });
});

describe("an agent's context", () => {
  const threads = (count: number, length: number) =>
    Array.from({ length: count }, () => ({ ref: "abc123", title: "x".repeat(length) }));

  test("is spared long texts, and told how much went", async () => {
    const { client } = await rig((_, reply) => reply.result({ threads: threads(5, 50_000) }));
    const result = await client.callTool({ name: "dispatch_thread_read", arguments: { op: "list" } });
    expect(textOf(result).length).toBeLessThan(20_000);
    expect(textOf(result)).toContain("… [48000 more characters]");
    expect(result._meta).toEqual({ cut: true });
  });

  test("is spared a read that is too large even so, and told how to ask for less", async () => {
    const { client } = await rig((_, reply) => reply.result({ threads: threads(500, 3000) }));
    const result = await client.callTool({ name: "dispatch_thread_read", arguments: { op: "list" } });
    expect(result._meta).toMatchObject({ code: "too_large", exit_code: 15 });
    expect(textOf(result)).toEndWith("hint: request less: a smaller limit");
  });

  test("is told of the next page only where there is one, and of a limit only where it is taken", async () => {
    const refs = Array.from({ length: 20_000 }, () => "abc123");
    const { client } = await rig(({ op }, reply) =>
      reply.result(op === "thread.list" ? { refs, next_cursor: "l:1" } : { refs }),
    );
    const read = async (args: Record<string, unknown>) =>
      textOf(await client.callTool({ name: "dispatch_thread_read", arguments: args }));
    expect(await read({ op: "list" })).toEndWith("request less: a smaller limit, then next_cursor");
    expect(await read({ op: "watch" })).toEndWith("request less: fewer threads");
    expect(await read({ op: "get", thread: "x" })).toEndWith("dispatch get shows it in a shell");
  });

  test("gets fifty threads that said much, their texts cut as far as it takes and no cursor with them", async () => {
    const next_cursor = "c".repeat(3000);
    const { client } = await rig((_, reply) => reply.result({ threads: threads(50, 16_000), next_cursor }));
    const result = await client.callTool({ name: "dispatch_thread_read", arguments: { op: "list" } });
    expect(result._meta).toEqual({ cut: true });
    expect(textOf(result)).toContain("… [15000 more characters]");
    expect(textOf(result)).toContain(next_cursor);
    expect(textOf(result).length).toBeLessThan(100 * 1024);
  });

  test("is spared what an error repeats: one clean line each of what happened and of the hint", async () => {
    const { client } = await rig((_, reply) =>
      reply.error({
        code: "not_found",
        message: `no thread matches "\u001b[31m\n${"x".repeat(100_000)}"`,
        hint: "dispatch\nlist",
        retry: "no",
        data: { fields: ["y".repeat(200_000)] },
      }),
    );
    const result = await client.callTool({
      name: "dispatch_thread_read",
      arguments: { op: "get", thread: "x" },
    });
    expect(textOf(result)).toStartWith('no thread matches "\\u001b[31m xxx');
    expect(textOf(result)).toEndWith("more characters]\nhint: dispatch list");
    expect(JSON.stringify(result).length).toBeLessThan(5000);
    const named = client.callTool({ name: "x".repeat(100_000), arguments: {} });
    expect((await named.catch((thrown: Error) => thrown.message)) as string).toContain("more characters]");
  });

  test("gets the whole of what fits", async () => {
    const { client } = await rig((_, reply) => reply.result({ threads: threads(2, 20_000) }));
    expect(
      textOf(await client.callTool({ name: "dispatch_thread_read", arguments: { op: "list" } })).length,
    ).toBeGreaterThan(40_000);
  });
});

describe("the server", () => {
  test("starts the daemon when there is none, and finds the next one when it was restarted", async () => {
    const home = newHome();
    mkdirSync(join(home, "pids"));
    const env = { HOME: home, PATH: process.env["PATH"] ?? "", DISPATCH_HOME: home };
    const transport = new StdioClientTransport({ command: process.execPath, args: [main, "mcp"], env });
    const client = new Client({ name: "test", version: "1" });
    await client.connect(transport);
    closing.push(() => client.close());
    const get = { name: "dispatch_thread_read", arguments: { op: "get", thread: "x" } };
    for (const daemons of [1, 2]) {
      expect(await client.callTool(get)).toHaveProperty("structuredContent");
      expect(daemonsOf(home).size).toBe(daemons);
      process.kill([...daemonsOf(home).keys()].find((pid) => !killed.has(pid))!, "SIGKILL");
      for (const pid of daemonsOf(home).keys()) killed.add(pid);
    }
  });

  test("answers what was asked before its input ended, then goes with 0, and stdout carries only the protocol", async () => {
    const home = newHome();
    const daemon = fakeDaemon(socketIn(home), agreeable);
    closing.push(() => daemon.stop());
    const lines = [
      {
        jsonrpc: "2.0",
        id: 1,
        method: "initialize",
        params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } },
      },
      { jsonrpc: "2.0", method: "notifications/initialized" },
      {
        jsonrpc: "2.0",
        id: 2,
        method: "tools/call",
        params: { name: "dispatch_thread_read", arguments: { op: "get", thread: "x" } },
      },
    ];
    const stdin = `${lines.map((line) => JSON.stringify(line)).join("\n")}\nnot json\n{"jsonrpc":"1"}\n`;
    const { stdout, stderr, code } = await run(home, ["mcp"], { stdin });
    expect([stderr, code]).toEqual(["", 0]);
    const answers = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: number | null; error?: { code: number } });
    expect(answers.map(({ id }) => id).sort()).toEqual([1, 2, null, null]);
    expect(answers.filter(({ id }) => id === null).map(({ error }) => error?.code)).toEqual([-32700, -32600]);
  });

  test("answers what it cannot read under its id: too long, no UTF-8, broken, no JSON-RPC", async () => {
    const home = newHome();
    const daemon = fakeDaemon(socketIn(home), agreeable);
    closing.push(() => daemon.stop());
    const start = '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"x","arguments":';
    const long = "x".repeat(9 * 1024 * 1024);
    const stdin = Buffer.from(
      [
        `${start}{"id":99,"text":"${long}"}},"id":1}`,
        `{"id":"two",${start.slice(1)}{"text":"${long}"}}}`,
        `${start}{"text":"\xff"}},"id":3}`,
        `${start}{}},"id":4,`,
        '{"id":5,"jsonrpc":"1"}',
        "",
      ].join("\n"),
      "latin1",
    );
    const { stdout, stderr, code } = await run(home, ["mcp"], { stdin });
    expect([stderr, code]).toEqual(["", 0]);
    const answers = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: unknown; error: { data: { code: string } } });
    expect(answers.map(({ id, error }) => [id, error.data.code])).toEqual([
      [1, "too_large"],
      ["two", "too_large"],
      [3, "usage"],
      [4, "usage"],
      [5, "usage"],
    ]);
  });

  test("refuses half of a surrogate pair in every field of every op, lists included", async () => {
    const { client, daemon } = await rig();
    const half = "a\ud800=b";
    for (const args of [
      { op: "send", thread: "x", text: half },
      { op: "send", thread: half, text: "x" },
    ]) {
      const result = await client.callTool({ name: "dispatch_message_write", arguments: args });
      expect(result._meta).toMatchObject({ code: "usage" });
      expect(textOf(result)).toContain("surrogate");
    }
    expect(daemon.calls).toEqual([]);
  });

  test("goes soon when its input ends under a call that would never end", async () => {
    const home = newHome();
    const daemon = fakeDaemon(socketIn(home), () => {});
    closing.push(() => daemon.stop());
    const lines = [
      {
        jsonrpc: "2.0",
        id: 1,
        method: "initialize",
        params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } },
      },
      {
        jsonrpc: "2.0",
        id: 2,
        method: "tools/call",
        params: { name: "dispatch_thread_read", arguments: { op: "wait", thread: "x" } },
      },
    ];
    const child = start(home, ["mcp"], {
      stdin: `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`,
    });
    expect(await child.exited).toBe(0);
  });

  test("refuses flags and words it does not know", async () => {
    expect((await run(newHome(), ["mcp", "--flatt"])).stderr).toContain("did you mean --flat?");
    expect((await run(newHome(), ["mcp", "x"])).code).toBe(2);
  });
});

const killed = new Set<number>();
