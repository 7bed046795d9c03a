/** What becomes of a text by Codex's answer to it. */
import { beforeEach, expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, type Rig, rig } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
  await here.reaches(await here.send("hello"), "done");
});

for (const reason of ["archived", "overloaded", "active_writer", "not_loaded"] as const) {
  test(`a text that is refused as ${reason} waits, saying so, and goes when Codex takes it`, async () => {
    const { agent } = here.world;
    agent.refuseNext("startTurn", reason);
    const receipt = await here.send("later", { mode: "queue" });
    await until("it was tried", () => here.world.engine.core.receipt(receipt.receipt).attempt === 1);
    await until("it is back", () => here.state(receipt) === "queued");
    expect(here.view().queue.reason).toContain(reason);
    await here.clock.advance(limits.codex.backoffFirstMs + limits.timer.slackMs);
    await here.reaches(receipt, "done");
    expect(agent.asked).toEqual(["hello", "later"]);
  });
}

test("a thread that Codex unloaded by itself is opened for the text that found it so", async () => {
  const { agent } = here.world;
  const thread = agent.threads.get(here.view().id!)!;
  thread.isLoaded = false;
  const receipt = await here.send("later", { mode: "queue" });
  await macrotasks(30);
  // With its first try, and not with the next look at all that is unfinished.
  await here.clock.advance(limits.codex.backoffFirstMs + limits.timer.slackMs);
  await macrotasks(60);
  expect(here.state(receipt)).toBe("done");
});

test("a steer into a turn that its thread was opened under is found in it, and not put into it twice", async () => {
  const { agent } = here.world;
  const id = here.view().id!;
  agent.intrude(id);
  await until("it runs", () => here.view().latest_turn?.status === "in_progress");
  agent.tell({ kind: "thread_closed", thread_id: id });
  await until("it is unknown", () => here.world.live.get(id) === undefined);
  agent.swallow("item_completed");
  const steer = await here.send("this way", { mode: "steer" });
  await until("it is there", () => agent.asked.includes("this way"));
  agent.release("theirs");
  for (let at = 0; at < 3; at++) await here.clock.advance(limits.loop.everyMs);
  await here.reaches(steer, "done");
  expect(agent.asked.filter((text) => text === "this way")).toHaveLength(1);
});
