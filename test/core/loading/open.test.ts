/** What a resume is not believed. */
import { beforeEach, expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import { type Rig, refusal, rig } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
  await here.reaches(await here.send("hello"), "done");
  here.clock.jump(limits.statusFreshMs * 4);
  here.world.agent.kill();
  here.world.agent.up();
});

test("a turn that the resume itself started is not steered, though the resume said that nothing runs", async () => {
  const { agent } = here.world;
  const { resumeThread } = agent;
  agent.resumeThread = async (id, settings) => {
    const opened = await resumeThread(id, settings);
    agent.swallow("thread_status");
    agent.swallow("turn_started");
    agent.intrude(id);
    return opened;
  };
  expect((await refusal(here.send("now"))).code).toBe("thread_busy");
  expect(agent.asked).not.toContain("now");
});

test("a thread that another provider would work on after a crash takes nothing, and says which", async () => {
  const { agent } = here.world;
  const { resumeThread } = agent;
  agent.resumeThread = async (id, settings) => {
    const opened = await resumeThread(id, settings);
    return { ...opened, effective: { ...opened.effective, model_provider: "another" } };
  };
  const refused = await refusal(here.send("now"));
  expect(refused).toMatchObject({
    code: "conflict",
    message: expect.stringContaining("model_provider: mock -> another"),
  });
  expect(here.view().queue.reason).toBe("settings_differ");
  expect(agent.asked).toEqual(["hello"]);
});
