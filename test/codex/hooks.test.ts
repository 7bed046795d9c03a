/** Who decided an approval, from what Codex says of its hooks and items: the wire as it was recorded from 0.169.0. */
import { expect, test } from "bun:test";
import { limits } from "../../src/base/limits.ts";
import { streamMemory } from "../../src/codex/memory.ts";
import type { AgentEvent } from "../../src/core/model/ports/agentevent.ts";

type Line = [method: string, params: Record<string, unknown>];

const hook = (status: string, item = "call_1", over: Record<string, unknown> = {}): Line => [
  "hook/completed",
  {
    turnId: "U",
    run: {
      id: `permission-request:0:/home/config.toml:${item}`,
      eventName: "permissionRequest",
      source: "user",
      sourcePath: "/home/config.toml",
      status,
      entries: [],
      ...over,
    },
  },
];
const command = (method: "item/started" | "item/completed", more: Record<string, unknown>): Line => [
  method,
  { turnId: "U", item: { type: "commandExecution", id: "call_1", command: "touch A", ...more } },
];
const runs = command("item/started", { source: "unifiedExecStartup", status: "inProgress" });
const waits = command("item/started", { source: "agent", status: "inProgress" });
const ended = command("item/completed", { source: "unifiedExecStartup", status: "completed" });
const asks: Line = ["item/commandExecution/requestApproval", { turnId: "U", itemId: "call_1" }];

function decided(...lines: Line[]): AgentEvent[] {
  const memory = streamMemory();
  return lines.flatMap(([method, params]) => memory.note(method, { threadId: "T", ...params }) ?? []);
}

const yes = { kind: "hook_decided", thread_id: "T", turn_id: "U", item_id: "call_1", decision: "approve" };

test("a command that runs after a hook, without a question, was let by the hook", () => {
  expect(decided(hook("completed"), runs, ended)).toMatchObject([
    { ...yes, hooks: [{ source: "user", path: "/home/config.toml" }], item: { command: "touch A" } },
  ]);
});

test("so was a command or a patch that is over without a question", () => {
  expect(decided(hook("completed"), waits, ended)).toMatchObject([yes]);
  const patch = { type: "fileChange", id: "call_1", changes: [], status: "completed" };
  expect(decided(hook("completed"), ["item/completed", { turnId: "U", item: patch }])).toMatchObject([yes]);
});

test("a hook that blocks denied it, in its own words", () => {
  const entries = [{ kind: "feedback", text: "not this" }];
  expect(decided(hook("blocked", "call_1", { entries }))).toMatchObject([
    { ...yes, decision: "deny", words: "not this", item: null },
  ]);
});

test("what is asked of us was decided by no hook, nor what one failed at, nor what was declined", () => {
  expect(decided(hook("completed"), waits, asks, runs, ended)).toEqual([]);
  expect(decided(hook("failed"), waits, asks, ended)).toEqual([]);
  expect(decided(hook("completed"), command("item/completed", { status: "declined" }))).toEqual([]);
  expect(decided(hook("completed"), hook("completed", "call_2"), asks, ended)).toEqual([]);
});

test("nor what Codex's own reviewer decides", () => {
  const review: Line = ["item/autoApprovalReview/started", { turnId: "U", targetItemId: "call_1" }];
  expect(decided(hook("completed"), review, runs, ended)).toEqual([]);
});

test("an MCP tool that is asked about without its item's id was decided by no hook", () => {
  const tool = (method: string): Line => [
    method,
    { turnId: "U", item: { type: "mcpToolCall", id: "call_1", server: "s", tool: "t", status: "completed" } },
  ];
  const question: Line = ["mcpServer/elicitation/request", { turnId: "U", serverName: "s" }];
  expect(decided(tool("item/started"), hook("completed"), question, tool("item/completed"))).toEqual([]);
  expect(decided(tool("item/started"), hook("completed"), tool("item/completed"))).toMatchObject([yes]);
});

test("hooks of other events decide nothing here", () => {
  expect(decided(hook("blocked", "call_1", { eventName: "postToolUse" }), runs, ended)).toEqual([]);
  expect(decided(hook("completed", "call_1", { eventName: "preToolUse" }), runs, ended)).toEqual([]);
});

test("one that keeps a tool from running denied it: Codex shows no item then", () => {
  expect(decided(hook("blocked", "call_1", { eventName: "preToolUse" }))).toMatchObject([
    { ...yes, decision: "deny", item: null },
  ]);
});

test("what is remembered of hooks is bounded", () => {
  const lines = Array.from({ length: limits.wire.openChangesMax + 1 }, (_, at) =>
    hook("completed", `c${at}`),
  );
  const over = (id: string): Line => [
    "item/completed",
    { item: { type: "commandExecution", id, command: "x" } },
  ];
  expect(decided(...lines, over("c0"), over("c1"))).toMatchObject([{ item_id: "c1" }]);
});

test("a hook that refuses a text says so of its turn, and one that lets it pass says nothing", () => {
  const entries = [{ kind: "feedback", text: "policy: not this prompt" }];
  const refusal = { kind: "prompt_refused", thread_id: "T", turn_id: "U", words: "policy: not this prompt" };
  for (const eventName of ["userPromptSubmit", "sessionStart"]) {
    for (const status of ["blocked", "stopped"])
      expect(decided(hook(status, "x", { eventName, entries }))).toEqual([refusal] as AgentEvent[]);
    for (const status of ["completed", "failed"])
      expect(decided(hook(status, "x", { eventName, entries }))).toEqual([]);
  }
  expect(decided(hook("blocked", "x", { eventName: "stop", entries }))).toEqual([]);
});
