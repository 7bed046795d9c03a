/** What a thread keeps: injected items, settings, its rollout's path, the bytes of a text. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { slowServer } from "../../support/slow-servers.ts";
import type { AppServer, Json } from "./app-server.ts";
import { clientIdsOf, namedThread, note, pathOf, rig, said, startTurn, turnOver, turnsOf } from "./rig.ts";

const codex = rig();

test("an item injected with an id of ours is in the rollout's tail under that id, also after kill -9 at the answer, and in no turn", async () => {
  const one = await codex.server();
  const { id } = await namedThread(one);
  const itemId = `ours-${crypto.randomUUID()}`;
  const content = [{ type: "input_text", text: "remember this" }];
  const item = { type: "message", id: itemId, role: "user", content };
  await one.call("thread/inject_items", { threadId: id, items: [item] });
  await one.kill();
  const two = await codex.server();
  const rows = readFileSync(await pathOf(two, id), "utf8")
    .trim()
    .split("\n");
  const found = rows.map((row) => JSON.parse(row)).filter((row) => row.payload?.id === itemId);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({ type: "response_item", payload: { role: "user" } });
  expect(await turnsOf(two, id)).toEqual([]);
  await two.kill();
}, 30_000);

describe("after a kill at the answer to the first turn", () => {
  const settings = {
    sandbox: "read-only",
    approvalPolicy: "on-request",
    developerInstructions: "be careful",
  };

  async function cutAndResumed(
    params: object,
  ): Promise<{ sandbox: { type: string }; approvalPolicy: string }> {
    const one = await codex.server();
    const { id } = await namedThread(one, settings);
    await startTurn(one, id, [{ wait: "never" }]);
    await one.kill();
    const two = await codex.server();
    const resumed = await two.call("thread/resume", { threadId: id, excludeTurns: true, ...params });
    await two.kill();
    return resumed as { sandbox: { type: string }; approvalPolicy: string };
  }

  test("a resume with the whole settings gives them back; a bare one may not", async () => {
    let raised = 0;
    for (let i = 0; i < 3; i++) {
      const whole = await cutAndResumed(settings);
      expect(whole).toMatchObject({ sandbox: { type: "readOnly" }, approvalPolicy: "on-request" });
      const bare = await cutAndResumed({});
      if (bare.sandbox.type !== "readOnly" || bare.approvalPolicy !== "on-request") raised++;
    }
    if (raised === 0) note("no bare resume differed in 3 kills at the answer");
  }, 60_000);
});

test("after a revert the path is another and the clientId of what was reverted is nowhere", async () => {
  const one = await codex.server();
  const { id } = await namedThread(one);
  await turnOver(one, await startTurn(one, id, "stays", "stays"));
  const second = await startTurn(one, id, "goes", "goes");
  await turnOver(one, second);
  const before = await pathOf(one, id);
  await one.call("thread/revert", { threadId: id, beforeTurnId: second });
  const after = await pathOf(one, id);
  expect(after).not.toBe(before);
  expect(await clientIdsOf(one, id)).toEqual(["stays"]);
  expect(readFileSync(after, "utf8")).not.toContain('"goes"');
  await one.kill();
}, 30_000);

test("compaction keeps path and clientIds", async () => {
  const one = await codex.server();
  const { id } = await namedThread(one);
  await turnOver(one, await startTurn(one, id, "hello", "kept"));
  const before = await pathOf(one, id);
  await one.call("thread/compact/start", { threadId: id });
  await one.heard("item/completed", ({ item }) => (item as { type: string }).type === "contextCompaction");
  expect(await clientIdsOf(one, id)).toEqual(["kept"]);
  expect(await pathOf(one, id)).toBe(before);
  await one.kill();
}, 30_000);

describe("model and effort of one turn", () => {
  const asked = () => {
    const { model, reasoning } = codex.provider.requests.at(-1)!.body;
    return { model, effort: reasoning?.effort };
  };
  async function turn(one: AppServer, id: string, more: Record<string, unknown> = {}) {
    await turnOver(one, await startTurn(one, id, "hello", crypto.randomUUID(), more));
    return asked();
  }

  test("stick for later turns, also after a kill and a resume; effort null does not reset, a collaboration mode does", async () => {
    const one = await codex.server();
    const { id } = await namedThread(one, { model: "gpt-5.5" });
    const own = await turn(one, id);
    const other = { model: "gpt-5.4", effort: "high" };
    expect(await turn(one, id, other)).toEqual(other);
    expect(await turn(one, id)).toEqual(other);
    expect(await turn(one, id, { effort: null })).toEqual(other);
    await one.kill();
    const two = await codex.server();
    await two.call("thread/resume", { threadId: id, excludeTurns: true });
    expect(await turn(two, id)).toEqual(other);
    const mode = { model: "gpt-5.5", reasoning_effort: null, developer_instructions: null };
    expect(await turn(two, id, { collaborationMode: { mode: "default", settings: mode } })).toEqual(own);
    expect(await turn(two, id)).toEqual(own);
    await two.kill();
  }, 30_000);

  test("are set back by sending the thread's own", async () => {
    const one = await codex.server();
    const { id } = await namedThread(one, { model: "gpt-5.5" });
    await turn(one, id, { model: "gpt-5.4", effort: "high" });
    expect(await turn(one, id, { model: "gpt-5.5", effort: "low" })).toEqual({
      model: "gpt-5.5",
      effort: "low",
    });
    expect(await turn(one, id)).toEqual({ model: "gpt-5.5", effort: "low" });
    await one.kill();
  }, 30_000);
});

test("a service tier of one turn sticks, and null sets it back", async () => {
  const one = await codex.server();
  const { id } = await namedThread(one, { model: "gpt-5.5" });
  const tiers: unknown[] = [];
  for (const more of [{}, { serviceTier: "priority" }, {}, { serviceTier: null }, {}]) {
    await turnOver(one, await startTurn(one, id, "hello", crypto.randomUUID(), more));
    tiers.push(codex.provider.requests.at(-1)!.body.service_tier ?? null);
  }
  const own = tiers[0];
  expect(tiers[1]).not.toBe(own);
  expect(tiers).toEqual([own, tiers[1], tiers[1], own, own]);
  await one.kill();
}, 30_000);

describe("a text", () => {
  test("with a lone surrogate gets no answer at all", async () => {
    const one = await codex.server();
    const { id } = await namedThread(one);
    let isAnswered = false;
    const settled = () => {
      isAnswered = true;
    };
    one.call("turn/start", said(id, "a\ud800b", "ill-formed")).then(settled, (thrown: Error) => {
      if (!thrown.message.startsWith("waited")) settled();
    });
    // Whatever was to be said of it would have been said by the end of a whole turn.
    await turnOver(one, await startTurn(one, id, "hello", "well-formed"));
    expect(isAnswered).toBe(false);
    expect(await clientIdsOf(one, id)).toEqual(["well-formed"]);
    await one.kill();
  }, 30_000);

  test("of any other kind comes back as it went", async () => {
    const one = await codex.server();
    const { id } = await namedThread(one);
    const odd = [
      "a\r\nb\r\n",
      "a\0b",
      "\ufeffa",
      "e\u0301",
      "\u001b[31mred",
      "<b>&amp;</b>",
      "   ",
      "🙂",
      "é".repeat(2 ** 20),
    ];
    for (const text of odd) await turnOver(one, await startTurn(one, id, text));
    const turns = (await turnsOf(one, id)).reverse();
    const back = turns.map(
      (turn) => turn.items.find((item) => item.type === "userMessage")!.content![0]!.text,
    );
    expect(back.map((text, i) => text === odd[i])).toEqual(odd.map(() => true));
    await one.kill();
  }, 60_000);
});

test("a thread is opened when the required MCP servers are up; a fork has no file before, and tells its source only to a read", async () => {
  const one = await codex.server();
  const { id } = await namedThread(one);
  await turnOver(one, await startTurn(one, id, [{ say: "hello" }]));
  const server = slowServer(2000);
  const table = { mcp_servers: { slow: { ...server.table, required: true } } };
  try {
    const mark = "dispatch:abc.1";
    for (const [method, params] of [
      ["thread/start", {}],
      ["thread/fork", { threadId: id, threadSource: mark }],
    ] as const) {
      const stored = () => threadsIn(codex.home.home).length;
      const before = stored();
      const from = performance.now();
      const opening = one.call(method, { ...params, config: table });
      await Bun.sleep(1000);
      expect(await one.call("thread/loaded/list", {})).toBeDefined();
      expect(stored()).toBe(before);
      const { thread } = (await opening) as { thread: { id: string } };
      expect(performance.now() - from).toBeGreaterThan(2000);
      if (method === "thread/start") continue;
      expect(stored()).toBe(before + 1);
      const { data } = (await one.call("thread/list", { modelProviders: [] })) as { data: Json[] };
      expect(data.find((row) => row["id"] === thread.id)).toMatchObject({ threadSource: null });
      const read = await one.call("thread/read", { threadId: thread.id });
      expect(read["thread"]).toMatchObject({ threadSource: mark });
    }
  } finally {
    server.cleanup();
  }
}, 30_000);

function threadsIn(home: string): string[] {
  const files = readdirSync(join(home, "sessions"), { recursive: true, encoding: "utf8" });
  return files.filter((name) => name.endsWith(".jsonl"));
}
