import { expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { rig, waiting } from "../rig.ts";

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
