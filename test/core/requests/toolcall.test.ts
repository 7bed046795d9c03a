/** Calls of dispatch's own tools, over the model of Codex: each is answered once, or cancelled, and leaves a record. */
import { beforeEach, describe, expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { limits } from "../../../src/base/limits.ts";
import type { EventView } from "../../../src/contract/events.ts";
import type { ThreadSettings } from "../../../src/core/model/ports/thread.ts";
import { quietLog, until } from "../../support/codex-sink.ts";
import { nothingAsked } from "../../world/model.ts";
import { testWorld } from "../../world/world.ts";
import { macrotasks, never, type Rig, rig } from "../rig.ts";

type Json = Record<string, unknown>;

let here: Rig;
beforeEach(async () => {
  here = await rig();
});

const core = () => here.world.engine.core;
const agent = () => here.world.agent;

const calling = (tool: string, args: Json = {}, more: Json = {}): Json => ({
  tool: `dispatch_${tool}`,
  arguments: args,
  ...more,
});
const slow = { name: "slow", text: '[{"wait":"slow"},{"say":"at last"}]' };

/** The answers so far: the text, and whether it is a success. */
const answers = (): { text: string; success: boolean }[] =>
  agent().replies.map(({ result }) => {
    const { contentItems, success } = result as { contentItems: { text: string }[]; success: boolean };
    return { text: contentItems[0]!.text, success };
  });
const answered = (count: number) => until(`${count} answers`, () => answers().length >= count);
const events = (kind: string): EventView[] =>
  core()
    .events({}, null, 1000)
    .events.filter((event) => event.kind === kind);

async function calls(...steps: Json[]): Promise<void> {
  await here.send(JSON.stringify([...steps, { say: "end" }]));
}
const over = () => until("the turn is over", () => here.view().status === "idle");

async function thread(name: string, text: string | null, settings: Partial<ThreadSettings> = {}) {
  const draft = { name, text, goal: null, key: null, created_by: "cli" };
  return (await core().create({ ...draft, settings: { cwd: "/repo", ...settings } }, never())).ref;
}

describe("a call", () => {
  test("is answered with what the op brought, recorded, and audited as the thread's", async () => {
    await calls(calling("new", { name: "worker", text: "hello" }), calling("wait", { threads: ["@worker"] }));
    await over();
    const [made, waited] = answers().map(({ text }) => JSON.parse(text));
    expect(made).toMatchObject({ title: "worker", handle: "@worker" });
    expect(waited).toEqual({
      verdict: "ok",
      threads: [{ ref: made.ref, title: "worker", status: "idle", last_message: "ok: hello" }],
    });
    expect(core().view(made.ref)).toMatchObject({ created_by: here.view().id, sandbox: "read-only" });
    const tool = "dispatch_v1.dispatch_new";
    const { call } = events("tool.called")[0]!.data;
    expect(events("tool.called")[0]!.data).toEqual({ call, tool });
    expect(events("tool.answered")[0]!.data).toEqual({ call, tool, outcome: "ok" });
    expect(events("op.called").map(({ data }) => data)).toContainEqual({
      caller: `tool in ${here.ref}`,
      op: "thread.new",
      outcome: "ok",
    });
  });

  test("is no question to a person: nothing asks, the thread is busy, and a wait for it goes on", async () => {
    await thread(slow.name, slow.text);
    await calls(calling("wait", { threads: ["@slow"] }));
    await until("the call runs", () => events("tool.called").length === 1);
    expect(here.view()).toMatchObject({ status: "busy", requests: [] });
    expect(core().requests({ ref: null, all: true, limit: 10 })).toEqual([]);
    agent().release("slow");
    await over();
    expect(answers()[0]!.text).toContain('"last_message":"at last"');
  });

  test("is under the policy for agents", async () => {
    await calls(
      calling("new", { name: "wider", sandbox: "danger-full-access" }),
      calling("wait", { threads: ["self"] }),
    );
    await over();
    expect(answers()[0]).toMatchObject({
      success: false,
      text: expect.stringMatching(/^denied \(retry no\): /),
    });
    expect(answers()[1]!.text).toStartWith("conflict (retry no): ");
    expect(events("tool.answered").map(({ data }) => data["outcome"])).toEqual(["denied", "conflict"]);
  });

  test("of a name or a version that is not known is answered in words", async () => {
    await calls(
      { tool: "dispatch_sned" },
      { tool: "dispatch_send", namespace: "dispatch_v9" },
      { tool: "anything", namespace: "other" },
    );
    await over();
    expect(answers().map(({ text }) => text)).toEqual([
      "usage (retry no): dispatch offers no tool dispatch_v1.dispatch_sned\nhint: call dispatch_send",
      expect.stringMatching(/^stale \(retry later\): dispatch .* is older than dispatch_v9.dispatch_send\n/),
      expect.stringContaining("usage (retry no): dispatch offers no tool other.anything\nhint: it offers"),
    ]);
  });

  test("with the id and arguments of one before does nothing twice; with others it is another call", async () => {
    await thread("worker", null);
    const args = { thread: "@worker", text: "once", mode: "queue" };
    await calls(
      calling("send", args, { call: "same" }),
      calling("send", args, { call: "same" }),
      calling("send", { ...args, text: "twice" }, { call: "same" }),
    );
    await over();
    const receipts = answers().map(({ text }) => JSON.parse(text).receipt);
    expect(receipts[1]).toBe(receipts[0]);
    expect(receipts[2]).not.toBe(receipts[0]);
    await until("all is delivered", () => agent().asked.includes("twice"));
    expect(agent().asked.filter((text) => text === "once")).toHaveLength(1);
  });

  test("that Codex sends again after a resume is one call, and no fault", async () => {
    const faults: string[] = [];
    here = await rig({ log: { ...quietLog, error: (what) => void faults.push(what) } });
    await thread(slow.name, slow.text);
    await calls(calling("wait", { threads: ["@slow"] }));
    await until("the call runs", () => events("tool.called").length === 1);
    const id = here.view().id!;
    await agent().resumeThread(id, { cwd: "/repo" });
    await macrotasks(20);
    expect(events("tool.called")).toHaveLength(1);
    agent().release("slow");
    await over();
    expect(answers()).toHaveLength(1);
    expect(faults).toEqual([]);
  });
});

test("a call whose turn ends in the same batch never runs", async () => {
  await here.send('[{"wait":"go"}]');
  await until("the turn runs", () => here.view().status === "busy");
  const { id, latest_turn } = here.view();
  const { epoch } = agent().status();
  const turn = { ...facts(latest_turn!.id), status: "interrupted" as const };
  const tool = {
    server: "dispatch_v1",
    name: "dispatch_new",
    description: null,
    arguments: { name: "late" },
  };
  here.world.engine.sink.onEvents(epoch!, [
    {
      kind: "request_opened",
      request: {
        rpc_id: 99,
        method: "item/tool/call",
        kind: "tool_call",
        thread_id: id,
        turn_id: turn.id,
        item_id: "call",
        command: null,
        cwd: null,
        changes: null,
        auto_resolution_ms: null,
        asks: { ...nothingAsked, tool },
      },
    },
    { kind: "turn_completed", thread_id: id!, turn },
  ]);
  await macrotasks(20);
  expect(events("tool.cancelled")).toHaveLength(1);
  expect(core().list({ archived: false, limit: 10 })).toHaveLength(1);
});

const facts = (id: string) => ({ id, error: null, started_at: null, completed_at: null, items: [] });

test("of a worker that it subscribed to, a thread is sent a message when that is done", async () => {
  await calls(calling("new", { name: "worker", text: "hello", subscribe: true }));
  await over();
  await until("it is woken", () => agent().asked.some((text) => text.includes("ok: hello")));
});

test("a thread reads its inbox, acknowledges, and posts to another one", async () => {
  const ref = await thread("worker", null);
  const { id } = core().postInbox({ lane: here.ref, sender: "cli", text: "look here" });
  await calls(
    calling("inbox"),
    calling("inbox", { action: "ack", ids: [id] }),
    calling("inbox", { action: "list", ids: null }),
    calling("inbox", { action: "post", thread: "@worker", text: "from the boss" }),
  );
  await over();
  const [listed, acked, after, posted] = answers().map(({ text }) => JSON.parse(text));
  expect(listed.messages).toMatchObject([{ id, from: "cli", text: "look here" }]);
  expect([acked, after]).toEqual([{ acked: [id] }, { messages: [] }]);
  const [message] = core().inbox({ lane: ref, states: ["pending"], limit: 10 });
  expect(message).toMatchObject({ id: posted.posted, text: "from the boss", from: here.view().id });
});

const odd: [what: string, tool: string, args: unknown, words: string][] = [
  ["no object", "list", ["x"], "the arguments of dispatch_list must be an object"],
  ["nothing that is needed", "send", { thread: "@docs" }, "dispatch_send needs text"],
  ["a field of another op", "new", { name: "x", goal: "win" }, 'unknown field "goal"'],
  ["a key of its own", "send", { thread: "@docs", text: "x", idempotency_key: "k" }, "unknown field"],
  ["a wrong type", "wait", { threads: ["@docs"], timeout: "soon" }, "timeout: must be a number"],
  ["a wrong choice", "send", { thread: "@docs", text: "x", mode: "shout" }, "mode: must be one of send,"],
  ["a word of JavaScript's own", "inbox", { action: "constructor" }, "action is list, ack or post"],
  ["a field of another action", "inbox", { action: "ack", text: "x" }, "action ack takes no text"],
  ["a name of an own field", "list", JSON.parse('{"__proto__":1}'), 'unknown field "__proto__"'],
  ["a lone surrogate", "send", { thread: "@docs", text: "\ud83d" }, "not well-formed"],
];

test.each(odd)("a call with %s is refused in words", async (_, tool, args, words) => {
  await calls(calling(tool, args as Json));
  await over();
  expect(answers()[0]).toMatchObject({ success: false, text: expect.stringContaining(words) });
  expect(answers()[0]!.text).not.toStartWith("internal");
});

describe("dispatch_wait", () => {
  test("ends by itself after 45 s, and says how to go on", async () => {
    const ref = await thread(slow.name, slow.text);
    await calls(calling("wait", { threads: ["@slow"] }));
    await until("the call runs", () => events("tool.called").length === 1);
    await here.clock.advance(limits.tool.waitMs - 1000);
    expect(answers()).toEqual([]);
    await here.clock.advance(2000);
    await over();
    expect(JSON.parse(answers()[0]!.text)).toEqual({
      verdict: "timeout",
      threads: [{ ref, title: "slow", status: "busy" }],
      next: "not all of them after 45 s: call dispatch_wait again, or end your turn; they go on working",
    });
    expect(answers()[0]!.success).toBe(true);
  });
});

describe("a call that outlives", () => {
  beforeEach(async () => {
    await thread(slow.name, slow.text);
    await calls(calling("wait", { threads: ["@slow"] }));
    await until("the call runs", () => events("tool.called").length === 1);
  });
  const cancelled = () => events("tool.cancelled").map(({ data }) => data["why"]);

  test("its turn is cancelled, and answered no more", async () => {
    await core().stop(here.ref, 1000);
    expect(cancelled()).toEqual(["its turn ended"]);
    agent().release("slow");
    await macrotasks(20);
    expect(answers()).toEqual([]);
    expect(here.world.live.toolCalls.size).toBe(0);
    expect(here.world.store.toolCalls.listRunning()).toEqual([]);
  });

  test("its child is cancelled, and nothing of it runs on", async () => {
    agent().kill();
    expect(cancelled()).toEqual(["its Codex ended"]);
    expect(here.world.store.toolCalls.listRunning()).toEqual([]);
    agent().up();
    await until("its turn is settled", () => here.view().latest_turn?.status === "interrupted");
    expect(answers()).toEqual([]);
  });

  test("what Codex says is resolved is cancelled", async () => {
    const { rpc_id } = here.world.store.toolCalls.listRunning()[0]!;
    agent().tell({ kind: "request_resolved", thread_id: here.view().id!, rpc_id });
    await until("it is cancelled", () => cancelled().length === 1);
    expect(cancelled()).toEqual(["Codex no longer waits for it"]);
  });

  test("its daemon is cancelled by the next one", async () => {
    const { store } = here.world;
    const [row] = store.toolCalls.listRunning();
    here.world.abandon();
    const next = testWorld({ store, threads: agent().threads, clock: here.clock });
    next.engine.begin();
    next.agent.up();
    expect(store.toolCalls.find(row!.id)).toMatchObject({ state: "cancelled", outcome: null });
    await until("its turn is settled", () => next.engine.core.view(here.ref).status === "idle");
    await next.end();
  });
});

describe("limits", () => {
  const many = limits.tool.runningPerThreadMax;

  test("one call more than a thread may run is answered at once: later", async () => {
    await thread(slow.name, slow.text);
    const waits = Array.from({ length: many + 1 }, () =>
      calling("wait", { threads: ["@slow"] }, { and: true }),
    );
    delete waits.at(-1)!["and"];
    await calls(...waits);
    await answered(1);
    expect(answers()).toEqual([
      {
        success: false,
        text: `thread_busy (retry later): this thread already runs ${many} such calls\nhint: call again when one of them has ended`,
      },
    ]);
    agent().release("slow");
    await over();
    expect(answers()).toHaveLength(many + 1);
  });

  test("one call more than all threads may run is answered at once, too", async () => {
    const other = await thread(slow.name, null);
    const { store } = here.world;
    const epoch = agent().status().epoch!;
    const closed = { outcome: null, closed_at: null, turn_id: null, call_id: null };
    for (let at = 0; at < limits.tool.runningMax; at++) {
      const row = {
        id: `r${at}`,
        lane: other,
        epoch,
        rpc_id: `w${at}`,
        tool: "t",
        state: "running",
      } as const;
      store.toolCalls.add({ ...row, ...closed, asked_at: 1 });
    }
    await calls(calling("list"));
    await over();
    expect(answers()[0]!.text).toStartWith("thread_busy (retry later): dispatch already runs 64 such calls");
  });

  test("the registry that refuses to store an answer does not keep the turn waiting", async () => {
    await thread(slow.name, slow.text);
    await calls(calling("wait", { threads: ["@slow"] }));
    await until("the call runs", () => events("tool.called").length === 1);
    const close = here.world.store.toolCalls.close;
    here.world.store.toolCalls.close = () => {
      here.world.store.toolCalls.close = close;
      throw new DispatchError("storage", "the disk is full");
    };
    agent().release("slow");
    await over();
    expect(answers()).toHaveLength(1);
    expect(here.world.store.toolCalls.listRunning()).toEqual([]);
  });

  test("a call that the registry refused to record is sent again, and answered", async () => {
    const add = here.world.store.toolCalls.add;
    here.world.store.toolCalls.add = () => {
      here.world.store.toolCalls.add = add;
      throw new DispatchError("storage", "the disk is full");
    };
    await calls(calling("list"));
    await until("it was refused", () => here.world.store.toolCalls.add === add);
    expect(events("tool.called")).toEqual([]);
    await here.clock.advance(limits.loop.everyMs);
    await over();
    expect(events("tool.answered")).toHaveLength(1);
    expect(answers()).toMatchObject([{ success: true }]);
  });

  test("ended calls are pruned, running ones are not", async () => {
    await thread(slow.name, slow.text);
    await calls(calling("list"), calling("wait", { threads: ["@slow"] }));
    await until("the second call runs", () => events("tool.called").length === 2);
    const { toolCalls } = here.world.store;
    expect(toolCalls.prune(here.clock.now() + 1, 10)).toBe(1);
    expect(toolCalls.prune(here.clock.now() + 1, 10)).toBe(0);
    expect(toolCalls.listRunning()).toHaveLength(1);
  });
});

describe("a thread with tools", () => {
  test("says so, as does its fork; a thread without them does not", async () => {
    const ref = await thread("boss", "hello", { tools: true });
    await until("its turn is over", () => core().view(ref).status === "idle");
    const draft = { last_turn: null, flags: {}, requests: null, key: null, created_by: "cli" };
    const fork = await core().fork(ref, { ...draft, name: "second" });
    expect([ref, fork, here.ref].map((one) => core().view(one).tools)).toEqual([
      "dispatch_v1",
      "dispatch_v1",
      null,
    ]);
  });

  test("that loses them in a resume says so, once in the log and as long as it lasts", async () => {
    const ref = await thread("boss", "hello", { tools: true });
    await until("its turn is over", () => core().view(ref).status === "idle");
    for (const text of ["one", "two"]) {
      agent().kill();
      agent().threads.get(core().view(ref).id!)!.hasTools = false;
      agent().up();
      const draft = { text, mode: "queue" as const, or_queue: false, overrides: null, key: null };
      await core().send(ref, { ...draft, cause_id: null, depth: 0, caller: "cli" }, never());
      await until(`${text} is done`, () => core().view(ref).last_message?.text === `ok: ${text}`);
    }
    expect(core().view(ref)).toMatchObject({ tools: null, warnings: [expect.stringContaining("--tools")] });
    expect(events("thread.warned")).toHaveLength(1);
  });
});
