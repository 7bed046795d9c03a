/** What the loop asks before a text goes: nothing runs, nothing is in flight, nobody holds it, and not too often. */
import { beforeEach, expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { limits } from "../../../src/base/limits.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, never, type Rig, refusal, rig } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
  await here.reaches(await here.send("hello"), "done");
  here.clock.jump(limits.thread.statusFreshMs + 1);
});

test("a queue that is held while it is proven that nothing runs keeps its text", async () => {
  const { agent, engine } = here.world;
  agent.beforeNext("readThread", () => engine.core.hold(here.ref));
  const receipt = await here.send("later", { mode: "queue" });
  await until("the hold", () => here.view().queue.held);
  await macrotasks(40);
  expect(here.state(receipt)).toBe("queued");
  expect(agent.asked).toEqual(["hello"]);
});

test("a turn that begins while it is proven that none runs is not steered", async () => {
  const { agent } = here.world;
  const { readThread } = agent;
  const id = here.view().id!;
  let isAsked = false;
  const proven = Promise.withResolvers<void>();
  agent.readThread = async (asked) => {
    const facts = await readThread(asked);
    if (isAsked) return facts;
    isAsked = true;
    agent.intrude(id);
    await until("it is told", () => here.view().latest_turn?.status === "in_progress");
    proven.resolve();
    return facts;
  };
  const receipt = await here.send("later", { mode: "queue" });
  await proven.promise;
  await macrotasks(60);
  expect(here.state(receipt)).toBe("queued");
  agent.release("theirs");
  await here.reaches(receipt, "done");
  expect(here.world.engine.core.receipt(receipt.receipt).joined).toBe(false);
});

test("an old status of Codex proves nothing: it is read again", async () => {
  const { agent } = here.world;
  agent.swallow("thread_status");
  agent.swallow("turn_started");
  agent.intrude(here.view().id!);
  const receipt = await here.send("later", { mode: "queue" });
  await macrotasks(60);
  expect(here.state(receipt)).toBe("queued");
  expect(agent.asked).not.toContain("later");
});

test("one text of a thread is in flight at a time", async () => {
  here.world.agent.loseNextTurn();
  const first = await here.send("one");
  const { lane } = here.world.store.messages.list({ limit: 1 })[0]!;
  const second = await here.send("two", { mode: "queue" });
  await macrotasks(60);
  expect([here.state(first), here.state(second)]).toEqual(["sent", "queued"]);
  // Not even tried: a try that the registry refuses would be a reason to wait longer.
  expect(here.world.store.lanes.get(lane)!.blocked_reason).toBeNull();
});

test("a text that Codex refuses is tried less and less often, and never given up within minutes", async () => {
  const { agent } = here.world;
  const at: number[] = [];
  agent.startTurn = async () => {
    at.push(here.clock.monotonic());
    throw new DispatchError("agent", "too much to do", { data: { reason: "overloaded" } });
  };
  const receipt = await here.send("later", { mode: "queue" });
  for (let second = 0; second < 300; second++) await here.clock.advance(1000);
  expect(here.state(receipt)).toBe("queued");
  expect(at.length).toBeGreaterThan(8);
  const pauses = at.slice(1).map((time, n) => time - at[n]!);
  for (const [n, pause] of pauses.entries())
    expect(pause).toBeGreaterThanOrEqual(
      Math.min(limits.codex.backoffFirstMs * 2 ** n, limits.codex.backoffMaxMs),
    );
});

test.each(["forgotten", "withdrawn"])("nothing is kept of a thread that is %s", async (how) => {
  const here = await rig();
  const { agent, blame, engine, live } = here.world;
  const { core } = engine;
  if (how === "withdrawn") {
    agent.refuseNext("startThread", "other");
    const settings = { cwd: "/repo" };
    const draft = { name: "never made", text: null, goal: null, settings, key: null, created_by: "cli" };
    expect((await refusal(core.create(draft, never()))).code).toBe("agent");
  } else {
    live.blocked.set(here.ref, { reason: "refused", hint: "dispatch get" });
    blame.culprits.set(here.ref, null);
    blame.suspects.set(here.ref, { causes: new Map([[null, 1]]), tried: 0, refusedAt: null });
    await core.forget(here.ref);
  }
  const before = here.kinds().length;
  core.retryAgent();
  expect(here.kinds().slice(before)).not.toContain("thread.unblocked");
  expect([live.blocked.size, blame.culprits.size, blame.suspects.size]).toEqual([0, 0, 0]);
});

test("a thread that Codex refuses after a minute of opening it is tried less and less often", async () => {
  const { agent, clock } = here.world;
  const called: number[] = [];
  agent.resumeThread = async () => {
    called.push(clock.monotonic());
    await clock.sleep(limits.thread.openWaitMs + 1000);
    throw new DispatchError("agent", "a required MCP server failed", { data: { reason: "other" } });
  };
  agent.kill();
  agent.up();
  await here.send("again", { mode: "queue" });
  for (let at = 0; at < 1200; at++) {
    await here.clock.advance(1000);
    await macrotasks(3);
  }
  const pauses = called.slice(1).map((at, before) => at - called[before]!);
  // The pause has a random part.
  expect(pauses.at(-1)).toBeGreaterThanOrEqual(limits.thread.openWaitMs + limits.codex.backoffMaxMs / 2);
});
