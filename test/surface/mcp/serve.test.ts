import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { Tool } from "@modelcontextprotocol/sdk/types.js";
import { agreeable, fakeDaemon, type Reply } from "../support/daemon.ts";
import { closing, main, rig, textOf } from "../support/mcp.ts";
import { daemonsOf, newHome, run, socketIn, start, until } from "../support/run.ts";

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
      verbose: { type: "boolean" },
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
      openWorldHint: false,
    });
    expect(named(tools, "dispatch_thread_destroy").annotations).toEqual({
      destructiveHint: true,
      openWorldHint: false,
    });
    expect(named(tools, "dispatch_message_write").annotations?.idempotentHint).toBeUndefined();
    for (const tool of tools)
      expect(tool).toMatchObject({ title: expect.any(String), outputSchema: { type: "object" } });
  });

  test("describe each op with its fields", async () => {
    const { tools } = await (await rig()).client.listTools();
    expect(named(tools, "dispatch_thread_read").description).toContain("get {thread}: Show a thread.");
    expect(named(tools, "dispatch_thread_read").description).toContain(
      "list {limit?, archived?, status?}: List the threads.",
    );
  });

  for (const [name, isFlat] of [
    ["codex-mcp-client", true],
    ["claude-code", true],
    ["opencode", false],
  ] as const)
    test(`are ${isFlat ? "one an op" : "grouped"} for ${name}, and both are answered`, async () => {
      const { client } = await rig(agreeable, [], name);
      const { tools } = await client.listTools();
      expect(tools.some((tool) => tool.name === "dispatch_get")).toBe(isFlat);
      for (const call of [
        { name: "dispatch_get", arguments: { thread: "x" } },
        { name: "dispatch_thread_read", arguments: { op: "get", thread: "x" } },
      ])
        expect((await client.callTool(call)).structuredContent).toMatchObject({ ref: "abc123" });
    });

  test("are one an op with --flat, without op", async () => {
    const { client } = await rig(agreeable, ["--flat"]);
    const { tools } = await client.listTools();
    const get = named(tools, "dispatch_get");
    expect(get.inputSchema).toMatchObject({
      required: ["thread"],
      properties: { thread: { type: "string" } },
    });
    expect(get.inputSchema.properties).not.toHaveProperty("op");
    expect(tools.map((tool) => tool.name)).toContain("dispatch_goal_set");
    const result = await client.callTool({ name: "dispatch_get", arguments: { thread: "x" } });
    expect(result.structuredContent).toEqual({ ref: "abc123", title: "docs" });
  });
});

describe("a call", () => {
  test("answers with structured content and the same as JSON", async () => {
    const { client, daemon } = await rig();
    const result = await client.callTool({
      name: "dispatch_thread_read",
      arguments: { op: "get", thread: "@docs" },
    });
    expect(result.structuredContent).toEqual({ ref: "abc123", title: "docs" });
    expect(textOf(result)).toBe('{"ref":"abc123","title":"docs"}');
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
      reply.error({
        code: "thread_busy",
        message: "a turn runs",
        hint: "send it with --queue",
        retry: "later",
      }),
    );
    const result = await client.callTool({
      name: "dispatch_thread_read",
      arguments: { op: "get", thread: "x" },
    });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toBe("thread_busy (retry later): a turn runs\nhint: send it with queue: true");
    expect(result.structuredContent).toEqual({
      error: {
        code: "thread_busy",
        retry: "later",
        message: "a turn runs",
        hint: "send it with queue: true",
      },
    });
    expect(result._meta).toEqual({ code: "thread_busy", exit_code: 5, retry: "later" });
  });

  const wrong: [args: Record<string, unknown>, text: string][] = [
    [{ op: "gte", thread: "x" }, 'dispatch_thread_read has no op "gte"\nhint: op: get'],
    [{ thread: "x" }, "missing op of dispatch_thread_read\nhint: op is one of: list, get, watch, wait"],
    [
      { op: "send", thread: "x" },
      'dispatch_thread_read has no op "send"\nhint: call dispatch_message_write with op: "send"',
    ],
    [{ op: "get" }, "missing thread"],
    [
      { op: "get", thraed: "x" },
      'unknown field "thraed"; did you mean "thread"?\nhint: the fields of get: thread, verbose',
    ],
    [{ op: "get", thread: 5 }, "thread: must be a string, not 5"],
    [{ op: "list", limit: 1000 }, "limit: must be at most 100, not 1000"],
    [{ op: "watch", follow: true }, 'unknown field "follow"\nhint: the fields of watch: threads, verbose'],
    [{ op: "toString" }, 'dispatch_thread_read has no op "toString"'],
  ];
  for (const [args, text] of wrong) {
    test(`is refused in the caller's words: ${JSON.stringify(args)}`, async () => {
      const { client, daemon } = await rig();
      const result = await client.callTool({ name: "dispatch_thread_read", arguments: args });
      expect(result.isError).toBe(true);
      expect(textOf(result)).toStartWith(`usage (retry no): ${text}`);
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
    expect(result.structuredContent).toEqual({ failed: true });
    expect(result._meta).toEqual({ exit_code: 8 });
  });

  test("of an op in the client runs there", async () => {
    const { client, daemon } = await rig();
    const result = await client.callTool({ name: "dispatch_daemon_read", arguments: { op: "schema" } });
    expect((result.structuredContent as { commands: string[] }).commands).toContain("goal set");
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
    expect(await call).toMatchObject({ structuredContent: { events: 3 } });
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

  test("gets the rows that fit, one on a line, and learns how many there are", async () => {
    const { client } = await rig((_, reply) =>
      reply.result({ threads: threads(500, 3000), next_cursor: "l:1" }),
    );
    const result = await client.callTool({ name: "dispatch_thread_read", arguments: { op: "list" } });
    expect(result._meta).toEqual({ cut: true });
    const { threads: rows, cut, next_cursor } = JSON.parse(textOf(result));
    expect(rows.length).toBeGreaterThan(20);
    expect(cut).toStartWith(`${rows.length} of 500 threads are shown`);
    expect(next_cursor).toBe("l:1");
    expect(textOf(result).split("\n").length).toBe(rows.length + 2);
    expect(Buffer.byteLength(textOf(result))).toBeLessThanOrEqual(32 * 1024 + 600);
  });

  test("gets the threads as resources in pages, by the cursor of list", async () => {
    const { client } = await rig(({ input }, reply) =>
      input["cursor"] === undefined
        ? reply.result({ threads: threads(2, 10), next_cursor: "behind" })
        : reply.result({ threads: threads(1, 10), next_cursor: null }),
    );
    const first = await client.listResources();
    expect(first.nextCursor).toBe("behind");
    expect(first.resources).toHaveLength(4);
    const last = await client.listResources({ cursor: "behind" });
    expect(last.resources).toHaveLength(1);
    expect(last.nextCursor).toBeUndefined();
  });

  test("gets no more than the limit of what is no list either", async () => {
    const rows = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`key${at}`, "abc123"]));
    const { client } = await rig((_, reply) => reply.result({ ref: "abc123", rows }));
    const result = await client.callTool({
      name: "dispatch_thread_read",
      arguments: { op: "get", thread: "x" },
    });
    expect(result.structuredContent).toEqual({
      ref: "abc123",
      cut: "the rest is too large: dispatch shows it in a shell",
    });
  });

  test("gets nothing that is null or empty, and everything with verbose", async () => {
    const whole = {
      ref: "abc123",
      title: null,
      list: [],
      other: [],
      deep: { a: null, b: { c: [] } },
      no: false,
      zero: 0,
    };
    const { client } = await rig((_, reply) => reply.result(whole));
    const get = async (more: object) =>
      (await client.callTool({ name: "dispatch_get", arguments: { thread: "x", ...more } }))
        .structuredContent;
    expect(await get({})).toEqual({ ref: "abc123", no: false, zero: 0 });
    expect(await get({ verbose: true })).toEqual(whole);
  });

  test("gets the commands of a result as calls", async () => {
    const { client } = await rig((_, reply) =>
      reply.result({ queue: { release: "dispatch goal set abc123" }, text: "dispatch get abc123" }),
    );
    const get = { name: "dispatch_thread_read", arguments: { op: "get", thread: "x" } };
    expect((await client.callTool(get)).structuredContent).toEqual({
      queue: { release: 'dispatch_thread_write {op: "goal_set", thread: "abc123"}' },
      text: "dispatch get abc123",
    });
  });

  test("gets fifty threads that said much, their texts cut as far as it takes and no cursor with them", async () => {
    const next_cursor = "c".repeat(3000);
    const { client } = await rig((_, reply) => reply.result({ threads: threads(50, 16_000), next_cursor }));
    const result = await client.callTool({ name: "dispatch_thread_read", arguments: { op: "list" } });
    expect(result._meta).toEqual({ cut: true });
    expect(textOf(result)).toContain("… [15500 more characters]");
    expect(textOf(result)).toContain(next_cursor);
    expect(textOf(result).length).toBeLessThan(33 * 1024);
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
    expect(textOf(result)).toStartWith('not_found (retry no): no thread matches "\\u001b[31m xxx');
    expect(textOf(result)).toContain("more characters]\nhint: dispatch ");
    expect(JSON.stringify(result).length).toBeLessThan(9000);
    const named = client.callTool({ name: "x".repeat(100_000), arguments: {} });
    expect((await named.catch((thrown: Error) => thrown.message)) as string).toContain("more characters]");
  });

  test("gets the whole of what fits", async () => {
    const { client } = await rig((_, reply) => reply.result({ threads: threads(2, 15_000) }));
    const result = await client.callTool({ name: "dispatch_thread_read", arguments: { op: "list" } });
    expect(textOf(result).length).toBeGreaterThan(30_000);
    expect(result._meta).toBeUndefined();
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
