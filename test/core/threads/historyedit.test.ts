import { expect, test } from "bun:test";
import { until } from "../../support/codex-sink.ts";
import { rig } from "../rig.ts";

test("after a revert a text that is lost is looked for above what is left, and goes again", async () => {
  const here = await rig();
  const { agent, engine } = here.world;
  await here.reaches(await here.send("one"), "done");
  await here.reaches(await here.send("two"), "done");
  await engine.core.revert(here.ref, 1);
  agent.beforeNext("startTurn", () => agent.kill());
  const sending = here.send("three");
  await until("the kill", () => agent.status().state !== "running");
  agent.up();
  await here.reaches(await sending, "done");
  expect(agent.asked).toEqual(["one", "two", "three"]);
});
