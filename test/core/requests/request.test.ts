import { beforeEach, describe, expect, test } from "bun:test";
import { DispatchError, fail } from "../../../src/base/error.ts";
import { limits } from "../../../src/base/limits.ts";
import type { Ruling } from "../../../src/contract/words.ts";
import type { RequestFacts } from "../../../src/core/model/ports/request.ts";
import type { Rule } from "../../../src/core/model/ruling.ts";
import { until } from "../../support/codex-sink.ts";
import { nothingAsked } from "../../world/model.ts";
import { macrotasks, type Rig, refusal, rig } from "../rig.ts";

type Json = Record<string, unknown>;

let here: Rig;
beforeEach(async () => {
  here = await rig();
});

async function asked(question: Partial<RequestFacts> = { command: "touch x" }): Promise<string> {
  await here.send(JSON.stringify([{ question }, { say: "done" }]));
  await until("a question", () => here.view().status === "waiting");
  return here.view().requests[0]!.id;
}

const open = (over: Partial<RequestFacts>): RequestFacts => ({
  rpc_id: 77,
  method: "some/method",
  kind: "other",
  thread_id: here.view().id,
  turn_id: null,
  item_id: null,
  command: null,
  cwd: null,
  changes: null,
  asks: nothingAsked,
  auto_resolution_ms: null,
  ...over,
});

const core = () => here.world.engine.core;
const approve = { decision: "approve" } as const;
const deny = { decision: "deny" } as const;

test("an answer reaches Codex once; a second one is a conflict that names the first", async () => {
  const id = await asked();
  expect(await core().answer(id, approve, "me", null)).toMatchObject({
    state: "answered",
    decision: "approve",
    answered_by: "me",
  });
  expect(here.world.agent.replies).toEqual([{ rpc_id: 0, result: { decision: "accept" } }]);
  const error = await refusal(core().answer(id, deny, "you", null));
  expect(error.code).toBe("conflict");
  expect(error.message).toContain("approve");
  expect(here.world.agent.replies).toHaveLength(1);
});

test("two answers at once: one is taken", async () => {
  const id = await asked();
  const both = await Promise.allSettled([
    core().answer(id, approve, "me", null),
    core().answer(id, deny, "you", null),
  ]);
  expect(both.map((one) => one.status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(here.world.agent.replies).toHaveLength(1);
});

test("an answer that does not fit leaves the question open", async () => {
  const id = await asked();
  const error = await refusal(core().answer(id, { reply: "yes" }, "me", null));
  expect([error.code, error.message]).toEqual([
    "usage",
    "a command_approval takes --approve, --approve-for-session, --deny, --cancel, not --reply",
  ]);
  expect(core().request(id).state).toBe("open");
  expect(here.world.agent.replies).toEqual([]);
});

test("a question dies with the child that asked, visibly, and cannot be answered then", async () => {
  const id = await asked();
  here.world.agent.kill();
  expect(core().request(id).state).toBe("expired");
  expect(here.kinds()).toContain("request.expired");
  expect((await refusal(core().answer(id, approve, "me", null))).code).toBe("conflict");
});

test("a question that is asked again is one question, open or answered", async () => {
  const id = await asked();
  const again = () => here.world.agent.tell({ kind: "request_opened", request: open({ rpc_id: 0 }) });
  again();
  await here.clock.advance(1);
  expect(here.view().requests.map((request) => request.id)).toEqual([id]);
  await core().answer(id, approve, "me", null);
  again();
  await until("the turn is over", () => here.view().status === "idle");
  expect(core().requests({ ref: here.ref, all: true, limit: 10 })).toHaveLength(1);
  expect(here.world.agent.replies).toHaveLength(1);
});

test("one that Codex gives up at a time is declined then, visibly, and the turn goes on", async () => {
  const id = await asked({ command: "touch x", auto_resolution_ms: 5000 });
  await here.clock.advance(4999);
  expect(core().request(id).state).toBe("open");
  await here.clock.advance(1);
  await until("the turn is over", () => here.view().status === "idle");
  expect(core().request(id)).toMatchObject({ state: "expired", decision: null });
  expect(here.world.agent.replies).toEqual([{ rpc_id: 0, result: { decision: "decline" } }]);
  expect(here.kinds()).toContain("request.expired");
});

test("one that was answered in time is not declined later", async () => {
  const id = await asked({ command: "touch x", auto_resolution_ms: 5000 });
  await core().answer(id, approve, "me", null);
  await here.clock.advance(10_000);
  expect(core().request(id).state).toBe("answered");
  expect(here.world.agent.replies).toHaveLength(1);
});

test("a wait that no timer can hold does not run out at once", async () => {
  const id = await asked({ command: "touch x", auto_resolution_ms: 40 * 24 * 3600 * 1000 });
  await here.clock.advance(1000);
  expect(core().request(id).state).toBe("open");
});

test("an answer is in no row and no event: it may be a secret", async () => {
  const questions = [
    { id: "key", header: "", question: "Which key?", options: null, is_other: true, is_secret: true },
  ];
  const asks = { ...nothingAsked, questions };
  const id = await asked({ kind: "user_input", method: "item/tool/requestUserInput", asks });
  await core().answer(id, { reply: "sesame" }, "me", null);
  expect(here.world.agent.replies[0]!.result).toEqual({ answers: { key: { answers: ["sesame"] } } });
  const { events } = core().events({}, null, 1000);
  expect(JSON.stringify([events, core().request(id)])).not.toContain("sesame");
});

test("what is asked beyond the limit of a request is not kept, and only declined", async () => {
  const question = { id: "q", header: "", question: "x".repeat(300_000), options: null };
  const asks = { ...nothingAsked, questions: [{ ...question, is_other: true, is_secret: false }] };
  const id = await asked({ kind: "user_input", asks });
  expect(core().request(id)).toMatchObject({ questions: null, options: ["deny"] });
  await core().answer(id, deny, "me", null);
  expect(here.world.agent.replies[0]!.result).toEqual({ answers: {} });
});

test("a request for the time is answered", async () => {
  here.world.agent.tell({ kind: "request_opened", request: open({ kind: "current_time" }) });
  await until("a reply", () => here.world.agent.replies.length === 1);
  const currentTimeAt = Math.floor(here.clock.now() / 1000);
  expect(here.world.agent.replies).toEqual([{ rpc_id: 77, result: { currentTimeAt } }]);
  expect(here.kinds().at(-1)).toBe("request.answered");
});

describe("what a sub-agent asks", () => {
  const spawned = (parent: string | null) => {
    const id = here.world.agent.madeElsewhere("kid", "hello");
    here.world.agent.threads.get(id)!.parentId = parent;
    return id;
  };
  const asks = (thread_id: string) =>
    here.world.agent.tell({
      kind: "request_opened",
      request: open({ thread_id, kind: "command_approval", command: "touch x" }),
    });

  test("its thread asks, however far below it is, also when that thread's own turn is over", async () => {
    const kid = spawned(spawned(here.view().id));
    asks(kid);
    await until("a question", () => here.view().status === "waiting");
    const [request] = here.view().requests;
    expect(core().request(request!.id)).toMatchObject({
      thread: here.ref,
      sub_agent: kid,
      command: "touch x",
    });
    await core().answer(request!.id, approve, "me", null);
    expect(here.world.agent.replies).toEqual([{ rpc_id: 77, result: { decision: "accept" } }]);
    expect(here.view().status).toBe("idle");
  });

  test("is one question, however often it is asked", async () => {
    const kid = spawned(here.view().id);
    for (let times = 0; times < 3; times++) asks(kid);
    await until("a question", () => here.view().requests.length > 0);
    await here.send("hello", { mode: "queue" });
    expect(core().requests({ ref: here.ref, all: true, limit: 10 })).toHaveLength(1);
  });

  test("is not answered by the sub-agent itself", async () => {
    const kid = spawned(here.view().id);
    asks(kid);
    await until("a question", () => here.view().requests.length > 0);
    here.world.store.lanes.set(here.ref, { created_by: kid });
    const error = await refusal(core().answer(here.view().requests[0]!.id, deny, kid, kid));
    expect([error.code, error.message]).toEqual(["denied", expect.stringContaining("its own")]);
  });

  test("is refused, with an event, where no thread above it is managed", async () => {
    asks(spawned(null));
    await until("a reply", () => here.world.agent.replies.length === 1);
    expect(here.world.agent.replies[0]!.error).toBeDefined();
    expect(here.kinds().at(-1)).toBe("request.answered");
  });

  test("is no question once Codex has resolved it while its thread was looked up", async () => {
    const kid = spawned(here.view().id);
    const resolve = () => {
      const { engine, live } = here.world;
      engine.sink.onEvents(live.epoch()!, [{ kind: "request_resolved", thread_id: kid, rpc_id: 77 }]);
    };
    let isResolved = false;
    here.world.agent.beforeNext("readThread", () => {
      resolve();
      isResolved = true;
    });
    asks(kid);
    await until("it is resolved", () => isResolved);
    await macrotasks(20);
    expect(core().requests({ ref: null, all: true, limit: 10 })).toEqual([]);
    expect(here.view().status).toBe("idle");
    expect(here.world.agent.replies).toEqual([]);
  });

  test("leaves nothing open when the child dies before it is known whose it is", async () => {
    const kid = spawned(here.view().id);
    here.world.agent.beforeNext("readThread", () => here.world.agent.kill());
    asks(kid);
    await until("Codex is down", () => here.world.live.epoch() === null);
    here.world.agent.up();
    await here.send("hello");
    await until("its turn is over", () => here.view().latest_turn?.status === "completed");
    expect(core().requests({ ref: null, all: true, limit: 10 })).toEqual([]);
  });
});

test("what a dead child asked is not taken for the same number of the next one", async () => {
  const { agent, engine, live } = here.world;
  const kid = agent.madeElsewhere("kid", "hello");
  agent.threads.get(kid)!.parentId = here.view().id;
  const question = open({ thread_id: kid, kind: "command_approval", command: "touch x" });
  const tell = agent.withhold("readThread", 1);
  agent.tell({ kind: "request_opened", request: question });
  await until("it is looked up", () => live.pendingLookups.has(77));
  // The next child is there, and asks, before the first one's lookup is answered.
  agent.kill();
  tell();
  agent.up();
  engine.sink.onEvents(live.epoch()!, [{ kind: "request_opened", request: question }]);
  await until("a question", () => here.view().requests.length === 1);
  expect(core().requests({ ref: null, all: true, limit: 10 })).toHaveLength(1);
});

test("what keeps a text from being sent names the request, and no answer to it", async () => {
  const id = await asked();
  const error = await refusal(here.send("next"));
  expect([error.code, error.hint]).toEqual(["needs_answer", `dispatch request get ${id}`]);
});

test("the error of a wrong answer names the command that shows the request", async () => {
  const id = await asked();
  const { hint } = await refusal(core().answer(id, { reply: "yes" }, "me", null));
  expect(hint).toBe(`dispatch request get ${id}`);
});

test("what a hook of Codex decided is an event of its thread", async () => {
  const thread_id = here.view().id!;
  const hooks = [{ source: "user", path: "/home/config.toml" }];
  const decided = { kind: "hook_decided" as const, thread_id, turn_id: "u-1", item_id: "i-1", hooks };
  here.world.agent.tell({ ...decided, decision: "deny", words: "not this", item: null });
  await here.clock.advance(1);
  expect(core().events({ kinds: ["request.answered"] }, null, 10).events).toMatchObject([
    {
      thread: here.ref,
      turn_id: "u-1",
      data: { decision: "deny", by: "a hook of Codex", summary: "not this", hooks },
    },
  ]);
});

describe("a policy", () => {
  test("does not approve outside the sandbox by a rule that does not say so", async () => {
    const policy = rules("ask", { command: ["git"], answer: "approve" });
    here = await rig({ policy });
    expect(await asked({ command: "git status" })).toBeString();
    expect(here.world.agent.replies).toEqual([]);
  });

  test("knows no handle that an agent gave", async () => {
    const rule = { thread: "@other", outside_sandbox: true, answer: "approve" as const };
    here = await rig({ policy: rules("ask", rule) });
    await core().rename({ ref: here.ref }, "other", "thread-of-an-agent");
    const id = await asked({ command: "git status" });
    expect(core().request(id).state).toBe("open");
    await core().answer(id, deny, "me", null);
    await until("the turn is over", () => here.view().status === "idle");
    await core().rename({ ref: here.ref }, "other", null);
    await here.clock.advance(1000);
    expect(await over({ command: "git status" })).toMatchObject({ answered_by: "policy rule 1" });
  });

  const rules = (requests: Ruling, ...rules: Rule[]) => ({ rules: { requests, rules } });

  async function over(question: Partial<RequestFacts>): Promise<Json> {
    await here.send(JSON.stringify([{ question }, { say: "done" }]));
    await until("the turn is over", () => here.view().latest_turn?.status === "completed");
    return core().requests({ ref: here.ref, all: true, limit: 1 })[0]! as unknown as Json;
  }

  test("answers in the place of a person, and says which rule it was", async () => {
    const policy = rules("ask", { command: ["git"], outside_sandbox: true, answer: "approve" });
    here = await rig({ policy });
    expect(await over({ command: "git status" })).toMatchObject({
      state: "answered",
      decision: "approve",
      answered_by: "policy rule 1",
    });
    expect(here.world.agent.replies).toEqual([{ rpc_id: 0, result: { decision: "accept" } }]);
    const { events } = core().events({ kinds: ["request.opened", "request.answered"] }, null, 10);
    expect(events.map(({ kind }) => kind)).toEqual(["request.opened", "request.answered"]);
    expect(events[1]!.data).toMatchObject({ decision: "approve", by: "policy rule 1" });
  });

  test("denies in the kind's own way", async () => {
    here = await rig({ policy: rules("deny") });
    await over({ kind: "mcp_tool_approval" });
    expect(here.world.agent.replies.at(-1)!.result).toMatchObject({ action: "decline" });
    await over({ kind: "user_input", asks: { ...nothingAsked, questions: [] } });
    expect(here.world.agent.replies.at(-1)!.result).toEqual({ answers: {} });
  });

  test("of a thread comes before that of the configuration", async () => {
    here = await rig({ policy: rules("approve") });
    here.world.store.lanes.set(here.ref, { requests: "deny" });
    expect(await over({ command: "ls" })).toMatchObject({
      decision: "deny",
      answered_by: "policy of the thread",
    });
  });

  test("that is broken approves nothing, not even by a thread's own: it asks", async () => {
    const policy = {
      get rules(): never {
        return fail("usage", "config.toml:1: no");
      },
    };
    here = await rig({ policy });
    here.world.store.lanes.set(here.ref, { requests: "approve" });
    const id = await asked();
    expect(core().request(id)).toMatchObject({ state: "open", expires_at: null });
    expect(here.world.agent.replies).toEqual([]);
  });

  test("gives a person so long, then declines", async () => {
    here = await rig({ policy: { requestTimeoutMs: 60_000 } });
    const id = await asked({ command: "ls", auto_resolution_ms: 120_000 });
    await here.clock.advance(59_999);
    expect(core().request(id).state).toBe("open");
    await here.clock.advance(1);
    await until("the turn is over", () => here.view().status === "idle");
    expect(core().request(id).state).toBe("expired");
    expect(here.world.agent.replies).toEqual([{ rpc_id: 0, result: { decision: "decline" } }]);
  });

  test("whose time ran out on a full disk is declined once there is space", async () => {
    here = await rig({ policy: { requestTimeoutMs: 60_000 } });
    const id = await asked();
    const { store } = here.world;
    const { append } = store.events;
    store.events.append = () => {
      throw new DispatchError("storage", "the disk is full");
    };
    await here.clock.advance(60_000);
    store.events.append = append;
    expect([core().request(id).state, here.world.agent.replies]).toEqual(["open", []]);
    await here.clock.advance(limits.loop.everyMs);
    await until("the turn is over", () => here.view().status === "idle");
    expect(core().request(id).state).toBe("expired");
    expect(here.world.agent.replies).toEqual([{ rpc_id: 0, result: { decision: "decline" } }]);
  });

  test("that approves what takes no yes leaves it to a person", async () => {
    here = await rig({ policy: rules("approve") });
    const id = await asked({ kind: "permissions_approval" });
    expect(core().request(id)).toMatchObject({ state: "open", options: ["deny"] });
    await core().answer(id, deny, "me", null);
    await until("the turn is over", () => here.view().status === "idle");
  });

  test("never decides of what dispatch cannot answer", async () => {
    here = await rig({ policy: rules("approve") });
    expect(await over({ kind: "other" })).toMatchObject({ decision: "refused", answered_by: "dispatch" });
  });

  test("is a fork's too, unless the fork has one of its own", async () => {
    here.world.store.lanes.set(here.ref, { requests: "deny" });
    await here.send("hello");
    await until("the turn is over", () => here.view().status === "idle");
    const draft = { last_turn: null, flags: {}, key: null, created_by: "cli" };
    const same = await core().fork(here.ref, { ...draft, name: "same", requests: null });
    const own = await core().fork(here.ref, { ...draft, name: "own", requests: "ask" });
    expect([same, own].map((ref) => core().view(ref).request_policy)).toEqual(["deny", "ask"]);
  });
});

describe("what cannot be answered is refused out loud, and never approved", () => {
  test("a method that is not known", async () => {
    here.world.agent.tell({ kind: "request_opened", request: open({ kind: "other" }) });
    await until("a reply", () => here.world.agent.replies.length === 1);
    const said = JSON.stringify(here.world.agent.replies[0]);
    expect(said).not.toMatch(/accept|approve|"success":true/);
    const [request] = core().requests({ ref: here.ref, all: true, limit: 10 });
    expect(request).toMatchObject({
      kind: "other",
      state: "answered",
      decision: "refused",
      answered_by: "dispatch",
    });
    expect(here.kinds().slice(-2)).toEqual(["request.opened", "request.answered"]);
  });

  test("a tool of a sub-agent, which gets none of dispatch's", async () => {
    const child = here.world.agent.madeElsewhere("child", "hello");
    here.world.agent.threads.get(child)!.parentId = here.view().id;
    here.world.agent.tell({
      kind: "request_opened",
      request: open({ kind: "tool_call", thread_id: child, method: "item/tool/call" }),
    });
    await until("a reply", () => here.world.agent.replies.length === 1);
    expect(here.world.agent.replies[0]!.result).toMatchObject({ success: false });
    const [request] = core().requests({ ref: here.ref, all: true, limit: 10 });
    expect(request).toMatchObject({ kind: "tool_call", decision: "refused", sub_agent: child });
  });

  test("a command of a thread that is not managed", async () => {
    here.world.agent.tell({
      kind: "request_opened",
      request: open({ thread_id: "a-stranger", kind: "command_approval" }),
    });
    await until("a reply", () => here.world.agent.replies.length === 1);
    expect(here.world.agent.replies[0]!.error).toBeDefined();
  });
});
