/** Sub-agents that are cut or fail after the turn of their thread: what is told, and to whom. */
import { describe, expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import { handClock } from "../../support/codex-clock.ts";
import { until } from "../../support/codex-sink.ts";
import { type TestWorld, testWorld } from "../../world/world.ts";
import { never, rig, waiting } from "../rig.ts";

type Failure = { agent: string; words: string };

/** A thread whose turn is over, or runs, with a working sub-agent; another one subscribes to its end and to attention. */
async function withAgent(text = "hello") {
  const here = await rig();
  const { engine, agent } = here.world;
  const draft = {
    name: "boss",
    text: null,
    goal: null,
    settings: { cwd: "/repo" },
    key: null,
    created_by: "cli",
  };
  const boss = (await engine.core.create(draft, never())).ref;
  await here.reaches(await here.send(text), text === waiting ? "delivered" : "done");
  const tell = async (agents: string[], failed?: Failure) => {
    const thread_id = here.view().id!;
    agent.tell({ kind: "agents_working", thread_id, agents, ...(failed ? { failed } : {}) });
    await until("it is seen", () => here.view().agents.join() === agents.join());
  };
  await tell(["C"]);
  for (const condition of ["done", "attention"] as const)
    engine.core.subscribe({
      ...{ of: [here.ref], conditions: [condition], to: boss, deliver: "queue" as const },
      ...{ all: false, once: true, tail: 1, caller: "cli" },
    });
  return { ...here, boss, tell };
}

const wait = ({ engine }: TestWorld, ref: Ref, condition: "done" | "attention" = "done") =>
  engine.core.wait({
    ...{ targets: [ref], self: null, condition, any: false, timeoutMs: null, signal: never() },
  });

const told = ({ store }: TestWorld, ref: Ref) =>
  store.events.newest({ kinds: ["thread.agents"], lanes: [ref], limit: 10 }).map(({ data }) => data);

async function bothFired({ engine }: TestWorld): Promise<void> {
  await until("both subscriptions fired", () =>
    engine.core.subscriptions({ limit: 10 }).every(({ fired }) => fired === 1),
  );
}

async function isToldAsCut(world: TestWorld, ref: Ref): Promise<void> {
  expect(told(world, ref)).toEqual([
    { working: 0, why: "a sub-agent was cut, because Codex ended", reason: "crashed" },
    { working: 1 },
  ]);
  expect(world.engine.core.view(ref)).toMatchObject({
    agents: [],
    latest_turn: { status: "completed", error: { message: "a sub-agent was cut, because Codex ended" } },
    queue: { held: true, reason: "crashed" },
  });
  expect((await wait(world, ref)).verdict).toBe("turn_failed");
  expect((await wait(world, ref, "attention")).verdict).toBe("ok");
  await bothFired(world);
}

describe("a sub-agent that is cut after the turn of its thread", () => {
  test("by the end of Codex is told, and ends what waits for the thread", async () => {
    const { world, ref, boss } = await withAgent();
    world.agent.kill();
    world.agent.up();
    await isToldAsCut(world, ref);
    const [wake] = world.store.messages.list({ lane: boss, limit: 1 });
    expect(wake!.text).toContain(
      "ended its turn, but not all of its work: a sub-agent was cut, because Codex ended.",
    );
  });

  test("by the end of the daemon is told at the next start, before a Codex is up, and once", async () => {
    const { world, ref } = await withAgent();
    world.abandon();
    const next = testWorld({ clock: handClock(), store: world.store, threads: world.agent.threads });
    next.engine.begin();
    expect((await wait(next, ref)).verdict).toBe("turn_failed");
    next.agent.up();
    await isToldAsCut(next, ref);
    await next.end();
  });

  test("no longer counts after the next turn, which also releases the queue", async () => {
    const { world, ref, send, reaches, view } = await withAgent();
    world.agent.kill();
    world.agent.up();
    await reaches(await send("go on"), "done");
    expect(view()).toMatchObject({ latest_turn: { error: null }, queue: { held: false } });
    expect((await wait(world, ref)).verdict).toBe("ok");
    world.agent.kill();
    world.agent.up();
    expect(told(world, ref)).toHaveLength(2);
    expect(view().queue.held).toBe(false);
  });

  test("is not told of a thread that another app writes by now", async () => {
    const { world, ref } = await withAgent();
    world.store.lanes.set(ref, { source: "attached", handle: null });
    world.agent.kill();
    expect(told(world, ref)).toEqual([{ working: 1 }]);
  });
});

test("nothing is told of sub-agents of a Codex before the one that ended: an older dispatch kept no word of their end", async () => {
  const { world, ref, view } = await withAgent();
  world.journal.commit((change) =>
    change.append({ kind: "codex.up", data: { epoch: 9, version: "0.171.0" } }),
  );
  world.agent.kill();
  expect(told(world, ref)).toEqual([{ working: 1 }]);
  expect(view()).toMatchObject({ latest_turn: { error: null }, queue: { held: false } });
});

test("nothing is told of sub-agents that were over when Codex ended", async () => {
  const { world, ref, tell, view } = await withAgent();
  await tell([]);
  world.agent.kill();
  world.agent.up();
  expect(told(world, ref)).toEqual([{ working: 0 }, { working: 1 }]);
  expect(view()).toMatchObject({ latest_turn: { error: null }, queue: { held: false } });
});

describe("a sub-agent that fails", () => {
  const failure = { agent: "C", words: "the model is gone" };
  const why = "sub-agent C failed: the model is gone";

  test("after the turn of its thread is told, and ends what waits for the thread", async () => {
    const { world, ref, tell, view, clock } = await withAgent();
    await tell(["D"], failure);
    expect(told(world, ref)[0]).toEqual({ working: 1, why, reason: "failed" });
    expect(view()).toMatchObject({
      agents: ["D"],
      latest_turn: { status: "completed", error: { message: why } },
      queue: { reason: "failed" },
    });
    const waited = wait(world, ref);
    await tell([]);
    await clock.advance(limits.loop.waitLookEveryMs);
    expect((await waited).verdict).toBe("turn_failed");
    expect(told(world, ref)[0]).toEqual({ working: 0 });
    await bothFired(world);
  });

  test("fires what watches for a failure, at once and when it is subscribed to later", async () => {
    const { world, ref, boss, tell } = await withAgent();
    const subscribe = () =>
      world.engine.core.subscribe({
        ...{ of: [ref], conditions: ["failed"], to: boss, deliver: "inbox" as const },
        ...{ all: false, once: true, tail: 1, caller: "cli" },
      }).id;
    const before = subscribe();
    await tell([], failure);
    const after = subscribe();
    await until("both fired", () =>
      [before, after].every((id) => world.engine.core.subscription(id).fired === 1),
    );
  });

  test("holds no thread that another app writes", async () => {
    const { world, ref, tell, view } = await withAgent();
    world.store.lanes.set(ref, { source: "attached", handle: null });
    await tell([], failure);
    expect(told(world, ref)[0]).toMatchObject({ why });
    expect(view()).toMatchObject({ latest_turn: { error: null }, queue: { held: false } });
  });

  test("under a running turn is an event only: Codex tells the turn", async () => {
    const { world, ref, tell, view } = await withAgent(waiting);
    await tell([], failure);
    expect(told(world, ref)[0]).toEqual({ working: 0, why, reason: "failed" });
    expect(view()).toMatchObject({ latest_turn: { error: null }, queue: { held: false } });
    world.agent.release("go");
    await until("the turn is over", () => view().latest_turn?.status === "completed");
    expect((await wait(world, ref)).verdict).toBe("ok");
  });
});

test("a wait for a text waits for the sub-agents of its turn too, and hears of their bad end", async () => {
  const { world, ref, tell, clock } = await withAgent();
  const { id } = world.store.messages.list({ lane: ref, limit: 1 })[0]!;
  const waitFor = (condition: "done" | "turn") =>
    world.engine.core.wait({
      ...{ targets: [id], self: null, condition, any: false, timeoutMs: null, signal: never() },
    });
  expect((await waitFor("turn")).verdict).toBe("ok");
  let isOver = false;
  const waited = waitFor("done").finally(() => {
    isOver = true;
  });
  await clock.advance(limits.loop.waitLookEveryMs);
  expect(isOver).toBe(false);
  await tell([], { agent: "C", words: "the model is gone" });
  expect((await waited).verdict).toBe("turn_failed");
});

test("sub-agents that a stop ends are no good end for those who wait, and hold the queue", async () => {
  const { world, ref, view } = await withAgent();
  const waited = wait(world, ref);
  const stopping = world.engine.core.stop(ref, 1000);
  await until("it is told", () => view().latest_turn?.error !== null);
  world.agent.tell({ kind: "agents_working", thread_id: view().id!, agents: [] });
  expect(await stopping).toMatchObject({ state: "stopped", agents_stopped: ["C"] });
  expect((await waited).verdict).toBe("turn_failed");
  expect(view()).toMatchObject({
    latest_turn: { error: { message: "a sub-agent was stopped" } },
    queue: { reason: "stopped" },
  });
});
