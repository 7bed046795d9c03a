import { describe, expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, never, rig, waiting } from "../rig.ts";

test("an interrupt that is never answered, since the turn was just over, is settled by reading", async () => {
  const { world, ref, send, reaches, clock } = await rig();
  await reaches(await send(waiting), "delivered");
  Object.assign(world.agent, {
    async interruptTurn() {
      world.agent.release("go");
      throw new DispatchError("timeout", "codex did not answer turn/interrupt", {
        data: { outcome: "unknown" },
      });
    },
  });
  const stopped = world.engine.core.stop(ref, 1000);
  await clock.advance(2000);
  expect(await stopped).toMatchObject({ state: "stopped" });
});

test("a text that Codex has not begun yet is stopped too: it is waited for", async () => {
  const { world, ref, send, state, clock } = await rig();
  const { agent } = world;
  const { startTurn } = agent;
  const gate = Promise.withResolvers<void>();
  agent.startTurn = async (input) => {
    await gate.promise;
    return startTurn(input);
  };
  const sending = send(waiting);
  await until("it is claimed", () => world.store.messages.inFlight(ref) !== undefined);
  const stopped = world.engine.core.stop(ref, 60_000);
  await macrotasks(30);
  gate.resolve();
  const receipt = await sending;
  for (let at = 0; at < 20; at++) await clock.advance(100);
  expect(await stopped).toMatchObject({ state: "stopped" });
  await until("it is cut", () => state(receipt) === "done");
  expect(world.engine.core.receipt(receipt.receipt).outcome).toBe("interrupted");
});

describe("the sub-agents of a thread whose own turn is over", () => {
  /** A thread of the model plays the sub-agent. */
  async function withAgent() {
    const here = await rig();
    const { agent, engine } = here.world;
    await here.reaches(await here.send("hello"), "done");
    const draft = { name: "sub", goal: null, settings: { cwd: "/repo" }, key: null, created_by: "cli" };
    const { ref } = await engine.core.create({ ...draft, text: waiting }, never());
    await until("it works", () => engine.core.view(ref).status === "busy");
    const sub = engine.core.view(ref).id!;
    const tell = (agents: string[]) =>
      agent.tell({ kind: "agents_working", thread_id: here.view().id!, agents });
    tell([sub]);
    await until("it is seen", () => here.view().agents.length === 1);
    return { ...here, sub, tell };
  }

  test("are ended too", async () => {
    const { world, ref, sub, tell } = await withAgent();
    const { interruptTurn } = world.agent;
    world.agent.interruptTurn = async (threadId, turnId) => {
      await interruptTurn(threadId, turnId);
      tell([]);
    };
    expect(await world.engine.core.stop(ref, 1000)).toEqual({
      state: "stopped",
      turn_id: null,
      goal_paused: false,
      agents_stopped: [sub],
    });
  });

  test("are not called ended when Codex does not end them", async () => {
    const { world, ref, sub, clock, view } = await withAgent();
    world.agent.interruptTurn = async () => {
      throw new DispatchError("agent", "not allowed for sub-agents");
    };
    const stopped = world.engine.core.stop(ref, 1000);
    await macrotasks(30);
    await clock.advance(2000);
    expect(await stopped).toMatchObject({ state: "pending", agents_stopped: [] });
    expect(view().agents).toEqual([sub]);
  });
});
