import { expect, test } from "bun:test";
import { systemClock } from "../../src/base/clock.ts";
import { limits } from "../../src/base/limits.ts";
import { incoming } from "../../src/codex/incoming.ts";
import { streamMemory } from "../../src/codex/memory.ts";
import { rpc } from "../../src/codex/rpc.ts";
import type { RawLine } from "../../src/core/model/ports/agent.ts";
import type { AgentEvent } from "../../src/core/model/ports/agentevent.ts";
import { quietLog } from "../support/codex-sink.ts";

const encoder = new TextEncoder();

function stream(over: { batch?(events: AgentEvent[]): void } = {}) {
  const batches: AgentEvent[][] = [];
  const warnings: string[] = [];
  const taps = new Set<(line: RawLine) => void>();
  let garbage = 0;
  const calls = rpc({ write: () => {}, clock: systemClock });
  const heard = incoming({
    rpc: calls,
    memory: streamMemory(),
    taps,
    log: quietLog,
    batch(events) {
      batches.push(events);
      over.batch?.(events);
    },
    warned: (words) => warnings.push(words),
    garbage: () => garbage++,
  });
  return {
    calls,
    taps,
    batches,
    warnings,
    garbage: () => garbage,
    oversize: (head: string) => heard.onOversize({ bytes: 1e9, head: encoder.encode(head) }),
    read: (...lines: (object | string)[]) =>
      heard.onRead(
        lines.map((line) => encoder.encode(typeof line === "string" ? line : JSON.stringify(line))),
      ),
  };
}

const closed = (threadId: string) => ({ method: "thread/closed", params: { threadId } });
const threads = (events: AgentEvent[]) =>
  events.map((event) => ("thread_id" in event ? event.thread_id : null));

test("the events of one read are one batch, in their order", async () => {
  const from = stream();
  await from.read(closed("a"), closed("b"), closed("c"));
  await from.read(closed("d"));
  expect(from.batches.map(threads)).toEqual([["a", "b", "c"], ["d"]]);
});

test("a read of very many lines is cut into batches of the limit", async () => {
  const from = stream();
  await from.read(...Array.from({ length: 600 }, (_, at) => closed(String(at))));
  expect(from.batches.map((batch) => batch.length)).toEqual([
    limits.wire.batchLinesMax,
    limits.wire.batchLinesMax,
    88,
  ]);
});

test("who waits for an answer sees all that came before it, and nothing that came after", async () => {
  const from = stream();
  const seen: (string | null)[][] = [];
  const answer = (async () => {
    await from.calls.call("m", {});
    // As deep as a caller may be: the next line waits for all of it.
    for (let depth = 0; depth < 50; depth++) await null;
    seen.push(from.batches.flatMap(threads));
  })();
  await from.read(closed("before"), { id: 1, result: {} }, closed("after"));
  await answer;
  expect(seen).toEqual([["before"]]);
  expect(from.batches.flatMap(threads)).toEqual(["before", "after"]);
});

test("a request of codex's is an event, also under the id 0 and under an id of one of our calls", async () => {
  const from = stream();
  let answered = false;
  const call = from.calls.call("m", {}).then(() => {
    answered = true;
  });
  const ask = (id: number | string) => ({
    method: "item/tool/call",
    id,
    params: { threadId: "T", tool: "t" },
  });
  await from.read(ask(0), ask(1), ask("x"));
  expect(answered).toBe(false);
  expect(from.batches.flat().map((event) => event.kind === "request_opened" && event.request.rpc_id)).toEqual(
    [0, 1, "x"],
  );
  from.calls.close("over");
  expect(call).rejects.toMatchObject({ code: "agent_down" });
});

test("garbage is counted and survived", async () => {
  const from = stream();
  await from.read("{", "", "[1]", "null", '"x"', closed("a"));
  expect(from.garbage()).toBe(5);
  expect(from.batches.flatMap(threads)).toEqual(["a"]);
});

test("a store that refuses a batch does not stop the stream", async () => {
  let refuse = true;
  const from = stream({
    batch() {
      if (refuse) throw new Error("disk full");
    },
  });
  const call = from.calls.call("m", {});
  await from.read(closed("a"), { id: 1, result: { ok: true } }, closed("b"));
  expect(await call).toEqual({ ok: true });
  refuse = false;
  await from.read(closed("c"));
  expect(from.batches.map(threads)).toEqual([["a"], ["b"], ["c"]]);
});

test("a tap hears every notification, deltas included, and none once it is closed", async () => {
  const from = stream();
  const delta = {
    method: "item/agentMessage/delta",
    params: { threadId: "T", turnId: "t", itemId: "i", delta: "x" },
  };
  const lines: RawLine[] = [];
  const tap = (line: RawLine) => lines.push(line);
  await from.read(delta);
  from.taps.add(tap);
  from.taps.add(() => {
    throw new Error("a broken tap");
  });
  await from.read(delta, closed("a"), { id: 5, result: {} });
  from.taps.clear();
  await from.read(delta);
  expect(lines).toEqual([
    {
      method: delta.method,
      thread_id: "T",
      line: delta,
      delta: { turn_id: "t", item_id: "i", type: "agent_message", text: "x" },
    },
    { method: "thread/closed", thread_id: "a", line: closed("a"), delta: null },
  ]);
  expect(from.batches.flatMap(threads)).toEqual(["a"]);
});

test("an answer over the limit ends the call it was for", async () => {
  const from = stream();
  const call = from.calls.call("thread/turns/list", {});
  from.oversize('{"id":1,"result":{"data":[');
  expect(call).rejects.toMatchObject({ code: "too_large" });
  from.oversize('{"method":"item/completed"');
  expect(from.garbage()).toBe(2);
});

test("what codex finds wrong with its configuration is passed on with its details", async () => {
  const from = stream();
  await from.read({
    method: "configWarning",
    params: { summary: "Invalid configuration.", details: "line 1" },
  });
  expect(from.warnings).toEqual(["Invalid configuration. line 1"]);
});

const lost = {
  method: "error",
  params: { threadId: "T", turnId: "U", willRetry: true, error: { message: "Reconnecting... 1/2" } },
};
const recovered = { kind: "turn_recovered", thread_id: "T", turn_id: "U" };
const kinds = (batches: AgentEvent[][]) => batches.flat().map((event) => event.kind);

test.each([
  ["item/agentMessage/delta", { itemId: "i", delta: "x" }],
  ["item/reasoning/textDelta", { itemId: "i", delta: "x" }],
  ["item/commandExecution/outputDelta", { itemId: "i", delta: "x" }],
  ["item/mcpToolCall/progress", { itemId: "i" }],
  ["item/started", { item: { id: "i", type: "agentMessage" } }],
  ["item/completed", { item: { id: "i", type: "agentMessage", text: "x" } }],
  ["item/somethingNew", {}],
  ["thread/tokenUsage/updated", { tokenUsage: {} }],
  ["turn/plan/updated", {}],
  ["turn/diff/updated", {}],
  ["turn/completed", { turn: { id: "U", status: "completed", items: [] } }],
])("%s ends the retrying of its turn, once, with nobody tapping", async (method, more) => {
  const from = stream();
  const line = { method, params: { threadId: "T", turnId: "U", ...more } };
  await from.read(lost, line, line);
  expect(from.batches.flat().filter(({ kind }) => kind === "turn_recovered")).toEqual([recovered] as never);
});

test.each([
  ["thread/status/changed", { status: { type: "active", activeFlags: [] } }],
  ["warning", { message: "w" }],
  ["hook/started", { run: {} }],
])("%s does not end it, and neither does a word of another thread", async (method, more) => {
  const from = stream();
  const delta = { method: "item/agentMessage/delta", params: { threadId: "S", turnId: "V", delta: "x" } };
  await from.read(lost, { method, params: { threadId: "T", ...more } }, delta);
  expect(kinds(from.batches)).not.toContain("turn_recovered");
});

const startup = (status: string, error: string | null) => ({
  method: "mcpServer/startupStatus/updated",
  params: { threadId: "T", name: "notes", status, error },
});

test("an MCP server that does not start is a warning of its thread, and one that starts after all ends it", async () => {
  const from = stream();
  await from.read(startup("starting", null), startup("failed", "no such file"), startup("ready", null));
  const warned = { kind: "warned", thread_id: "T", server: "notes" };
  expect(from.batches.flat()).toEqual([
    { ...warned, words: "no such file" },
    { ...warned, words: null },
  ] as AgentEvent[]);
  expect(from.warnings).toEqual([]);
});

test.each([
  ["warning", { message: "low on room" }, "low on room"],
  [
    "deprecationNotice",
    { summary: "the key is old.", details: "Use another." },
    "the key is old. Use another.",
  ],
])("a %s about no thread is passed on", async (method, params, words) => {
  const from = stream();
  await from.read({ method, params });
  expect(from.warnings).toEqual([words]);
});
