/** What an agent may do, over the model of Codex: the rule itself, and every op of the product against it. */

import { beforeEach, describe, expect, test } from "bun:test";
import { unknownAgent } from "../../../src/base/agentid.ts";
import { DispatchError, fail } from "../../../src/base/error.ts";
import type { AgentPolicy } from "../../../src/contract/words.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import type { ThreadSettings } from "../../../src/core/model/ports/thread.ts";
import { authorise } from "../../../src/daemon/authorise.ts";
import { index } from "../../../src/ops/index.ts";
import type { DaemonOp } from "../../../src/ops/op.ts";
import { until } from "../../support/codex-sink.ts";
import { type TestWorld, testWorld } from "../../world/world.ts";
import { never, refusal } from "../rig.ts";

let world: TestWorld;
/** Of the thread that calls, of one that it made, and of one that a person made. */
let own: Ref;
let made: Ref;
let theirs: Ref;
let agent: string;

const core = () => world.engine.core;

async function create(
  name: string,
  settings: Partial<ThreadSettings> = {},
  more: { agent?: string | null; requests?: "ask" | "deny" | "approve"; text?: string } = {},
): Promise<Ref> {
  const by = more.agent ?? null;
  const draft = { name, goal: null, key: null, created_by: by ?? "cli", agent: by, text: more.text ?? null };
  const whole = { ...draft, settings: { cwd: "/repo", ...settings }, requests: more.requests ?? null };
  return (await core().create(whole, never())).ref;
}

async function begin(leash: AgentPolicy | "broken", power: Partial<ThreadSettings>): Promise<void> {
  const broken = {
    get agents(): AgentPolicy {
      return fail("usage", "config.toml:1: no");
    },
  };
  world = testWorld({ policy: leash === "broken" ? broken : { agents: leash } });
  world.engine.begin();
  world.agent.up();
  own = await create("own", power);
  agent = core().view(own).id!;
  theirs = await create("theirs");
  made = await create("made", {}, { agent });
}

const middling = { sandbox: "workspace-write", approval_policy: "on-request" } as const;
const all = { sandbox: "danger-full-access", approval_policy: "never" } as const;
beforeEach(() => begin("guarded", middling));

const by = (name: string, settings: Partial<ThreadSettings> = {}, more: Parameters<typeof create>[2] = {}) =>
  create(name, settings, { agent, ...more });
const rights = (ref: Ref) => {
  const { sandbox, approval_policy } = core().view(ref);
  return [sandbox, approval_policy];
};

describe("what an agent creates", () => {
  test("may do as much as the agent where nothing is said, and less where that is said", async () => {
    expect(rights(made)).toEqual(["workspace-write", "on-request"]);
    expect(rights(await by("less", { sandbox: "read-only" }))).toEqual(["read-only", "on-request"]);
  });

  const wider: [what: string, settings: Partial<ThreadSettings>, words: string][] = [
    ["a wider sandbox", { sandbox: "danger-full-access" }, "danger-full-access"],
    ["an approval policy that asks less", { approval_policy: "never" }, "never"],
    ["one that is not known", { approval_policy: "granular" }, "granular"],
    ["a permission profile", { permission_profile: ":workspace" }, "permission profile"],
    ["another reviewer", { approvals_reviewer: "auto_review" }, "reviewer"],
    [
      "a setting of Codex's own",
      { config: { "sandbox_workspace_write.network_access": true } },
      "network_access",
    ],
  ];
  for (const [what, settings, words] of wider) {
    test(`is not made with ${what}`, async () => {
      const error = await refusal(by("wider", settings));
      expect([error.code, error.message]).toEqual(["denied", expect.stringContaining(words)]);
      expect(error.hint).toContain("dispatch new");
      expect(
        core()
          .list({ archived: false, limit: 10 })
          .map(({ title }) => title),
      ).not.toContain("wider");
    });
  }

  test("gets tools of dispatch only from one that has them, or that may do everything unasked", async () => {
    const error = await refusal(by("caller", { tools: true }));
    expect([error.code, error.hint]).toEqual([
      "denied",
      "new --no-tools; a fork keeps the tools of its source",
    ]);
    const boss = await create("boss", { ...middling, tools: true });
    const { id } = core().view(boss);
    const draft = { name: "copy", last_turn: null, flags: {}, requests: null, key: null, created_by: agent };
    expect((await refusal(core().fork(boss, { ...draft, agent }))).code).toBe("denied");
    const ref = await create("worker", { tools: true }, { agent: id });
    expect(core().view(ref)).toMatchObject({ tools: "dispatch_v1", sandbox: "workspace-write" });
    await begin("guarded", all);
    await by("free", { tools: true });
  });

  test("may say how much the model thinks", async () => {
    await by("thoughtful", { config: { model_reasoning_effort: "low", model_verbosity: "low" } });
  });

  test("does not approve its own questions, but may deny them", async () => {
    expect((await refusal(by("yes", {}, { requests: "approve" }))).code).toBe("denied");
    expect(core().view(await by("no", {}, { requests: "deny" })).request_policy).toBe("deny");
  });

  test("may be anything where the agent may do everything unasked", async () => {
    await begin("guarded", all);
    expect(rights(await by("all"))).toEqual(["danger-full-access", "never"]);
    await by("yes", {}, { requests: "approve" });
  });

  test("of a thread that is not managed is what its newest turn runs with", async () => {
    const id = world.agent.madeElsewhere("elsewhere", "hello");
    Object.assign(world.agent.threads.get(id)!.settings, { ...middling, cwd: "/repo" });
    const ref = await create("of elsewhere", {}, { agent: id });
    expect(rights(ref)).toEqual(["workspace-write", "on-request"]);
    expect((await refusal(create("wider", all, { agent: id }))).code).toBe("denied");
  });

  test("of a thread of which nothing is known is said to be the least there is, or it is not made", async () => {
    const id = world.agent.madeElsewhere("elsewhere", "hello");
    const error = await refusal(create("unsaid", {}, { agent: id }));
    expect(error).toMatchObject({
      code: "denied",
      hint: expect.stringContaining("--sandbox read-only --approval-policy untrusted"),
    });
    const least = { sandbox: "read-only", approval_policy: "untrusted" } as const;
    expect(rights(await create("least", least, { agent: id }))).toEqual(["read-only", "untrusted"]);
    expect(rights(await create("lost", least, { agent: "no-such-thread" }))).toEqual([
      "read-only",
      "untrusted",
    ]);
  });

  test("is no fork of what may do more", async () => {
    await begin("guarded", { sandbox: "read-only", approval_policy: "on-request" });
    const ref = await create("worker", all, { text: "hello" });
    await until("its turn is over", () => core().view(ref).latest_turn?.status === "completed");
    const draft = { name: "copy", last_turn: null, requests: null, key: null, created_by: agent, agent };
    expect((await refusal(core().fork(ref, { ...draft, flags: {} }))).code).toBe("denied");
    const narrow = { sandbox: "read-only", approval_policy: "on-request" } as const;
    expect(rights(await core().fork(ref, { ...draft, flags: narrow }))).toEqual(["read-only", "on-request"]);
  });

  test("is anything once the user lets agents go free", async () => {
    await begin("free", middling);
    expect(rights(await by("wider", all))).toEqual(["danger-full-access", "never"]);
  });
});

test("the registry knows who named a thread: a rule by handle does not match a handle from an agent", async () => {
  const isByAgent = (ref: Ref) => world.store.lanes.get(ref).named_by_agent;
  const draft = { last_turn: null, flags: middling, requests: null, key: null };
  const forked = (name: string, by: string | null) =>
    core().fork(theirs, { ...draft, name, created_by: by ?? "cli", agent: by });
  expect([theirs, made].map(isByAgent)).toEqual([false, true]);
  expect([await forked("one", agent), await forked("two", null)].map(isByAgent)).toEqual([true, false]);
  await core().rename({ ref: theirs }, "taken", agent);
  await core().rename({ ref: made }, "given", null);
  expect([theirs, made].map(isByAgent)).toEqual([true, false]);
});

describe("an agent answers", () => {
  const approve = { decision: "approve" } as const;
  const deny = { decision: "deny" } as const;

  async function asked(ref: Ref): Promise<string> {
    const draft = { text: '[{"ask":"touch x"},{"say":"done"}]', mode: "send" as const, or_queue: false };
    await core().send(
      ref,
      { ...draft, overrides: null, key: null, cause_id: null, depth: 0, caller: null },
      never(),
    );
    await until("a question", () => core().view(ref).requests.length > 0);
    return core().view(ref).requests[0]!.id;
  }

  test("never what it asks itself, however free it is", async () => {
    for (const leash of ["guarded", "free"] as const) {
      await begin(leash, all);
      const id = await asked(own);
      expect((await refusal(core().answer(id, deny, agent, agent))).code).toBe("denied");
      expect(core().request(id).state).toBe("open");
    }
  });

  test("not what others ask, unless it is free", async () => {
    const id = await asked(theirs);
    expect((await refusal(core().answer(id, deny, agent, agent))).code).toBe("denied");
    await begin("free", middling);
    expect(await core().answer(await asked(theirs), approve, agent, agent)).toMatchObject({
      decision: "approve",
    });
  });

  test("not what a thread asks that it only attached", async () => {
    await begin("guarded", all);
    const ref = await core().attach(world.agent.madeElsewhere("elsewhere", "hello"), agent);
    await core().take(ref);
    const id = await asked(ref);
    expect((await refusal(core().answer(id, deny, agent, agent))).code).toBe("denied");
    expect(core().request(id).state).toBe("open");
  });

  test("no to what it created; yes only where it may run everything itself", async () => {
    const id = await asked(made);
    const error = await refusal(core().answer(id, approve, agent, agent));
    expect([error.code, error.hint]).toEqual(["denied", expect.stringContaining(`request answer ${id}`)]);
    expect(await core().answer(id, deny, agent, agent)).toMatchObject({
      decision: "deny",
      answered_by: agent,
    });
    await begin("guarded", all);
    expect(await core().answer(await asked(made), approve, agent, agent)).toMatchObject({
      decision: "approve",
    });
  });
});

const ops = await Promise.all(index.map(async (row) => (await row.load()).default));
const daemonOps = ops.filter((op): op is DaemonOp => op.at !== "client");
const writes = daemonOps.filter((op) => op.intent !== "read");

function codeOf(op: DaemonOp, input: Record<string, unknown>, thread_id: string | null = agent): string {
  try {
    authorise(core(), { op, input, caller: { kind: "mcp", thread_id, cwd: "/repo" } });
    return "ok";
  } catch (thrown) {
    if (thrown instanceof DispatchError) return thrown.code;
    throw thrown;
  }
}

const plainText = (mode: "queue" | "send", caller: string) => {
  const rest = { or_queue: false, overrides: null, key: null, cause_id: null, depth: 0 };
  return { text: "x", mode, caller, ...rest };
};

describe("an agent of another machine", () => {
  const far = "laptop/01a2051d-b657-7002-81c0-9f7e837c4535";
  const archive = (ref: Ref, by = far) =>
    codeOf(writes.find(({ name }) => name === "thread.archive")!, { thread: ref }, by);

  test("manages what it created here, and nothing else, also where agents are free", async () => {
    await begin("free", all);
    const its = await create("its", { sandbox: "read-only", approval_policy: "untrusted" }, { agent: far });
    expect(archive(its)).toBe("ok");
    expect(archive(theirs)).toBe("denied");
    expect(archive(own)).toBe("denied");
  });

  test("creates only what may do the least, since its own permissions are not known here", async () => {
    await begin("free", all);
    expect((await refusal(create("wide", all, { agent: far }))).code).toBe("denied");
  });

  test("of which no thread is known has created nothing", async () => {
    const unknown = "laptop/unknown";
    const least = { sandbox: "read-only", approval_policy: "untrusted" } as const;
    expect(archive(await create("its", least, { agent: unknown }), unknown)).toBe("denied");
  });
});

describe("another machine", () => {
  const use = (agent: string | null, isRead = true) => {
    try {
      core().authorizeHost({ host: "box", isRead, agent });
      return "ok";
    } catch (thrown) {
      return (thrown as DispatchError).code;
    }
  };
  const beginWith = (policy: { agents: AgentPolicy; hosts: string[] }) => {
    world = testWorld({ policy });
    world.engine.begin();
  };

  test("is used by a person, and by an agent only where the configuration lists it", () => {
    expect([use(null), use(agent), use(unknownAgent)]).toEqual(["ok", "denied", "denied"]);
    beginWith({ agents: "guarded", hosts: ["box"] });
    expect([use(null), use(agent), use(agent, false)]).toEqual(["ok", "ok", "ok"]);
    beginWith({ agents: "free", hosts: ["other"] });
    expect(use(agent)).toBe("denied");
  });

  test("is only read where agents may only read here", () => {
    beginWith({ agents: "read", hosts: ["box"] });
    expect([use(agent), use(agent, false), use(null, false)]).toEqual(["ok", "denied", "ok"]);
  });

  test("is not used with a broken configuration", async () => {
    await begin("broken", middling);
    expect([use(agent), use(null)]).toEqual(["denied", "ok"]);
  });
});

describe("of every op", () => {
  /** These look themselves at whose trigger, subscription or inbox it is. */
  const anywhere = [
    "inbox.ack",
    "inbox.post",
    "message.send",
    "receipt.reconcile",
    "request.answer",
    "subscription.add",
    "subscription.resume",
    "subscription.rm",
    "thread.attach",
    "thread.fork",
    "thread.new",
    "thread.sync",
    "trigger.add",
    "trigger.pause",
    "trigger.resume",
    "trigger.rm",
  ];

  test("on another's thread an agent may call the reads, and these", () => {
    const may = writes.filter((op) => codeOf(op, { thread: theirs }) === "ok").map((op) => op.name);
    expect(may.sort()).toEqual(anywhere);
    for (const op of daemonOps.filter((one) => one.intent === "read"))
      expect(codeOf(op, { thread: theirs })).toBe("ok");
  });

  test("on what it created, and on itself, all but taking a thread from another app", () => {
    for (const ref of [made, own, "self"]) {
      const mayNot = writes.filter((op) => codeOf(op, { thread: ref }) !== "ok").map((op) => op.name);
      expect(mayNot).toEqual(["thread.take"]);
    }
  });

  test("a text that cuts a turn needs the right to stop it, however the mode is given", () => {
    const send = writes.find((op) => op.name === "message.send")!;
    const ways = [{ interject: true }, { mode: "interject" }, { mode: "interject", interject: true }];
    for (const way of ways) {
      expect(codeOf(send, { thread: theirs, text: "x", ...way })).toBe("denied");
      expect(codeOf(send, { thread: made, text: "x", ...way })).toBe("ok");
    }
    for (const mode of ["send", "queue", "steer", "context"])
      expect(codeOf(send, { thread: theirs, text: "x", mode })).toBe("ok");
  });

  test("an agent whose thread is not known has created nothing, and sent nothing", async () => {
    const may = writes.filter((op) => codeOf(op, { thread: theirs }, unknownAgent) === "ok");
    expect(may.map((op) => op.name).sort()).toEqual(anywhere);
    const cancel = writes.find((op) => op.name === "queue.cancel")!;
    const rename = writes.find((op) => op.name === "thread.rename")!;
    const least = { sandbox: "read-only", approval_policy: "untrusted" } as const;
    const ref = await create("by nobody", least, { agent: unknownAgent });
    expect(codeOf(rename, { thread: ref }, unknownAgent)).toBe("denied");
    expect((await refusal(create("wider", middling, { agent: unknownAgent }))).code).toBe("denied");
    core().hold(theirs);
    const { receipt } = await core().send(theirs, plainText("queue", unknownAgent), never());
    expect(codeOf(cancel, { id: receipt }, unknownAgent)).toBe("denied");
    expect(() => core().resolve("self", unknownAgent)).toThrow("is not known");
  });

  test("a text of an agent runs on another's held thread, and does not release what is held", async () => {
    const stopped = async (ref: Ref, sender: string) => {
      const text = JSON.stringify([{ fail: "no" }]);
      await core().send(ref, { ...plainText("send", "cli"), text }, never());
      await until("its turn failed", () => core().view(ref).queue.held);
      await core().send(ref, plainText("queue", "cli"), never());
      const { receipt } = await core().send(ref, plainText("send", sender), never());
      await until("the text is done", () => core().receipt(receipt).state === "done");
      return core().view(ref).queue.held;
    };
    expect(await stopped(theirs, agent)).toBe(true);
    expect(await stopped(made, agent)).toBe(false);
    expect(await stopped(own, "cli")).toBe(false);
  });

  test("what names no thread is a person's", () => {
    for (const name of ["daemon.stop", "daemon.retry"])
      expect(codeOf(writes.find((op) => op.name === name)!, {})).toBe("denied");
  });

  test("what is not managed is not the agent's", () => {
    const thread = world.agent.madeElsewhere("elsewhere", "hello");
    const archive = writes.find((op) => op.name === "thread.archive")!;
    expect(codeOf(archive, { thread })).toBe("denied");
  });

  test("to attach a thread is not to create it, nor is it once a person has taken it over", async () => {
    const archive = writes.find((op) => op.name === "thread.archive")!;
    const thread = world.agent.madeElsewhere("elsewhere", "hello");
    const ref = await core().attach(thread, agent);
    expect(codeOf(archive, { thread: ref })).toBe("denied");
    await core().take(ref);
    expect(codeOf(archive, { thread: ref })).toBe("denied");
  });

  test("what it created is another app's once it is given away, and its own again once it is taken back", async () => {
    const archive = writes.find((op) => op.name === "thread.archive")!;
    const ref = await by("lent", {}, { text: "hello" });
    await until("its turn is over", () => core().view(ref).latest_turn?.status === "completed");
    await core().give(ref);
    expect(codeOf(archive, { thread: ref })).toBe("denied");
    await core().take(ref);
    expect(codeOf(archive, { thread: ref })).toBe("ok");
  });

  test("it cancels what it sent itself, wherever that waits", async () => {
    const cancel = writes.find((op) => op.name === "queue.cancel")!;
    const draft = { text: "x", mode: "queue" as const, or_queue: false, overrides: null, key: null };
    const sent = (caller: string) =>
      core().send(theirs, { ...draft, cause_id: null, depth: 0, caller }, never());
    core().hold(theirs);
    expect(codeOf(cancel, { id: (await sent(agent)).receipt })).toBe("ok");
    expect(codeOf(cancel, { id: (await sent("cli")).receipt })).toBe("denied");
    expect(codeOf(cancel, { id: "no such receipt" })).toBe("ok");
  });

  test("where agents may only read, nothing else", async () => {
    await begin("read", middling);
    expect(writes.filter((op) => codeOf(op, { thread: own }) === "ok")).toEqual([]);
    for (const op of daemonOps.filter((one) => one.intent === "read"))
      expect(codeOf(op, { thread: theirs })).toBe("ok");
  });

  test("where agents are free, everything; and a person always", async () => {
    expect(writes.filter((op) => codeOf(op, { thread: theirs }, null) !== "ok")).toEqual([]);
    await begin("free", middling);
    expect(writes.filter((op) => codeOf(op, { thread: theirs }) !== "ok")).toEqual([]);
  });

  test("with a broken configuration agents are guarded", async () => {
    await begin("broken", middling);
    expect(
      writes
        .filter((op) => codeOf(op, { thread: theirs }) === "ok")
        .map((op) => op.name)
        .sort(),
    ).toEqual(anywhere);
    expect((await refusal(by("wider", all))).code).toBe("denied");
  });
});
