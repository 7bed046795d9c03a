import { expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, rig, waiting } from "../rig.ts";

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
