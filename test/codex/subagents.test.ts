/** Which sub-agents work, by what Codex says of them, in both generations. */
import { expect, test } from "bun:test";
import { subagents } from "../../src/codex/subagents.ts";

const started = (id: string) => ["turn/started", id, { turn: { id: "U" } }] as const;
const ended = (id: string) => ["turn/completed", id, { turn: { id: "U", status: "completed" } }] as const;
const status = (id: string, type: string) => ["thread/status/changed", id, { status: { type } }] as const;
const spawned = (parent: string, child: string) =>
  [
    "item/completed",
    parent,
    { item: { type: "collabAgentToolCall", tool: "spawnAgent", receiverThreadIds: [child] } },
  ] as const;
const active = (parent: string, child: string) =>
  [
    "item/started",
    parent,
    { item: { type: "subAgentActivity", kind: "started", agentThreadId: child } },
  ] as const;

type Line = readonly [string, string, object];
/** The last list of `top` after these lines. */
function after(top: string, ...lines: Line[]): string[] {
  const note = subagents();
  let agents: string[] = [];
  for (const [method, thread, params] of lines)
    for (const event of note(method, thread, params as never))
      if (event.kind === "agents_working" && event.thread_id === top) agents = event.agents;
  return agents;
}

for (const [generation, spawn] of [
  ["v1", spawned],
  ["v2", active],
] as const) {
  test(`${generation}: a child that outlives the turn of its parent works until its own turn ends`, () => {
    const begun = [
      started("P"),
      status("C", "active"),
      started("C"),
      spawn("P", "C"),
      ended("P"),
      status("P", "idle"),
    ];
    expect(after("P", ...begun)).toEqual(["C"]);
    expect(after("P", ...begun, ended("C"))).toEqual([]);
    expect(after("P", ...begun, status("C", "idle"))).toEqual([]);
    expect(after("P", ...begun, status("C", "notLoaded"))).toEqual([]);
    expect(after("P", ...begun, ["thread/closed", "C", {}])).toEqual([]);
  });

  test(`${generation}: a child that begins again works again, and one of a child counts for the top`, () => {
    const again = [spawn("P", "C"), started("C"), ended("C"), started("C"), spawn("C", "D"), started("D")];
    expect(after("P", ...again)).toEqual(["C", "D"]);
    expect(after("P", ...again, ended("C"))).toEqual(["D"]);
  });
}

test("a child that fails is named with its reason when its turn ends, and is not over before; a top thread is no child", () => {
  const note = subagents();
  const failed = (id: string, error: object | null) =>
    ["turn/completed", id, { turn: { id: "U", status: "failed", error } }] as const;
  const tell = (...[method, thread, params]: Line) => note(method, thread, params as never);
  tell(...spawned("P", "C"));
  tell(...started("C"));
  expect(tell(...status("C", "systemError"))).toEqual([]);
  const over = { kind: "agents_working", thread_id: "P", agents: [] };
  expect(tell(...failed("C", { message: "no model" }))).toEqual([
    { ...over, failed: { agent: "C", words: "no model" } },
  ] as never);
  // Its status came first.
  tell(...started("C"));
  tell(...status("C", "idle"));
  expect(tell(...failed("C", null))).toEqual([
    { ...over, failed: { agent: "C", words: "Codex gave no reason" } },
  ] as never);
  tell(...started("P"));
  expect(tell(...failed("P", { message: "no model" }))).toEqual([]);
});

test("threads without a parent, and rings of parents, are nobody's sub-agents", () => {
  expect(after("P", started("P"), started("Q"))).toEqual([]);
  expect(after("P", spawned("P", "P"), spawned("P", "C"), spawned("C", "P"), started("P"))).toEqual([]);
});

const reports = (thread: string, total: number) =>
  [
    "thread/tokenUsage/updated",
    thread,
    {
      turnId: "U",
      tokenUsage: {
        total: {
          totalTokens: total,
          inputTokens: total - 3,
          cachedInputTokens: 2,
          outputTokens: 3,
          reasoningOutputTokens: 1,
        },
        last: { totalTokens: 3, inputTokens: 2, outputTokens: 1 },
        modelContextWindow: 9,
      },
    },
  ] as const;

test("tokens name the top thread and the model, again when a late item names them, and once", () => {
  const note = subagents();
  const spent = (...line: Line) =>
    note(line[0], line[1], line[2] as never).flatMap((event) =>
      event.kind === "tokens" ? [[event.thread_id, event.root_id, event.model, event.total.total]] : [],
    );
  expect(spent(...reports("P", 5))).toEqual([["P", "P", null, 5]]);
  expect(spent(...reports("D", 6))).toEqual([["D", "D", null, 6]]);
  expect(spent(...reports("C", 7))).toEqual([["C", "C", null, 7]]);
  expect(spent(...spawned("C", "D"))).toEqual([["D", "C", null, 6]]);
  const started = { item: { type: "subAgentActivity", kind: "started", agentThreadId: "C", model: "small" } };
  expect(spent("item/completed", "P", started)).toEqual([
    ["D", "P", null, 6],
    ["C", "P", "small", 7],
  ]);
  expect(spent("item/completed", "P", started)).toEqual([]);
  expect(spent(...reports("D", 8))).toEqual([["D", "P", null, 8]]);
  expect(spent("thread/tokenUsage/updated", "P", { tokenUsage: {} })).toEqual([]);
});

test("tokens are read with all their parts", () => {
  expect(subagents()(...(reports("P", 5) as unknown as [string, string, Record<string, unknown>]))).toEqual([
    {
      ...{ kind: "tokens", thread_id: "P", root_id: "P", turn_id: "U", model: null, context_window: 9 },
      total: { total: 5, input: 2, cached: 2, output: 3, reasoning: 1 },
      last: { total: 3, input: 2, cached: 0, output: 1, reasoning: 0 },
    },
  ]);
});
