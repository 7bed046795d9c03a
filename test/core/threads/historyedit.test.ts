import { expect, test } from "bun:test";
import { rig } from "../rig.ts";

test("after a revert a text that is lost is looked for above what is left, and goes again", async () => {
  const here = await rig();
  const { agent, engine } = here.world;
  await here.reaches(await here.send("one"), "done");
  await here.reaches(await here.send("two"), "done");
  await engine.core.revert(here.ref, 1);
  agent.loseNextTurn();
  const receipt = await here.send("three");
  expect(receipt.state).toBe("sent");
  agent.kill();
  agent.up();
  await here.reaches(receipt, "done");
  expect(agent.asked).toEqual(["one", "two", "three"]);
});
