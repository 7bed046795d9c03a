/** Who holds a queue, and what lets it go on. */
import { beforeEach, expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import type { MessageId } from "../../../src/core/model/ports/rows.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, type Rig, rig, waiting } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
});

const core = () => here.world.engine.core;

test("what a person holds no end of a turn renames, and no completed turn releases", async () => {
  await here.reaches(await here.send('[{"wait":"a"},{"fail":"no luck"}]'), "delivered");
  await core().hold(here.ref);
  here.world.agent.release("a");
  await until("it failed", () => here.view().status === "error");
  expect(here.view().queue.reason).toBe("by_hand");
  core().release(here.ref);
  await here.reaches(await here.send(waiting), "delivered");
  await core().hold(here.ref);
  here.world.agent.release("go");
  await until("it completed", () => here.view().latest_turn?.status === "completed");
  expect(here.view().queue.reason).toBe("by_hand");
});

test("of two texts that are unsure, the one that is settled releases nothing", async () => {
  await core().hold(here.ref);
  const both = [await here.send("one", { mode: "queue" }), await here.send("two", { mode: "queue" })];
  const { store, live } = here.world;
  for (const { receipt } of both) {
    const id = receipt as MessageId;
    store.messages.set(id, { state: "claimed", epoch: live.epoch(), claimed_at: here.clock.now() });
    store.messages.set(id, { state: "unsure" });
  }
  store.lanes.set(here.ref, { hold_reason: "unsure" });
  core().resolveUnsure(both[0]!.receipt, "not-delivered", "me");
  expect(here.view().queue.reason).toBe("unsure");
  core().resolveUnsure(both[1]!.receipt, "not-delivered", "me");
  expect(here.view().queue.held).toBe(false);
});

test("a plain text that a stop cut before Codex took it fails, and does not begin again against the stop", async () => {
  const { agent } = here.world;
  agent.loseNextText();
  const receipt = await here.send("once");
  await until("its turn", () => here.view().latest_turn?.status === "in_progress");
  expect((await core().stop(here.ref, 5000)).state).toBe("stopped");
  await here.reaches(receipt, "failed");
  expect(core().receipt(receipt.receipt).error?.message).toContain("not taken");
  expect(agent.asked).toEqual([]);
});

test("what a person holds lets no interjection pass", async () => {
  await here.reaches(await here.send("hello"), "done");
  await core().hold(here.ref);
  const sending = here.send("now", { mode: "interject" });
  await macrotasks(60);
  await here.clock.advance(limits.message.sendAnswerMs);
  const urgent = await sending;
  expect(here.state(urgent)).toBe("queued");
  core().release(here.ref);
  await here.reaches(urgent, "done");
});

test("a steer that never left fails with the end of its turn", async () => {
  const { agent } = here.world;
  await here.reaches(await here.send(waiting), "delivered");
  agent.swallow("item_completed");
  await here.send("one", { mode: "steer" });
  await until("it is taken", () => agent.asked.includes("one"));
  const sending = here.send("two", { mode: "steer" });
  await macrotasks(30);
  await here.clock.advance(limits.message.sendAnswerMs);
  const second = await sending;
  expect(here.state(second)).toBe("queued");
  agent.release("go");
  await here.reaches(second, "failed");
  expect(agent.asked).not.toContain("two");
});
