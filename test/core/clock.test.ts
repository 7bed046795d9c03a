/** A wall clock that is set changes no timeout: durations are of the monotonic clock. */

import { expect, test } from "bun:test";
import { limits } from "../../src/base/limits.ts";
import type { Receipt } from "../../src/contract/receipt.ts";
import { until } from "../support/codex-sink.ts";
import { macrotasks, never, type Rig, rig, waiting } from "./rig.ts";

const hour = 3_600_000;

/** A message that Codex was given and of which it shows nothing. */
async function unproven(): Promise<{ here: Rig; receipt: Receipt }> {
  const here = await rig();
  here.world.agent.loseNextTurn();
  return { here, receipt: await here.send("hello") };
}

async function pass(here: Rig, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1000) {
    await here.clock.advance(1000);
    await macrotasks(4);
  }
}

test.each([
  ["forward", hour],
  ["back", -hour],
])("set %s an hour, a message is unsure after its minute, no sooner and no later", async (_, ms) => {
  const { here, receipt } = await unproven();
  await pass(here, limits.loop.everyMs);
  here.clock.set(ms);
  await pass(here, limits.message.proofTimeoutMs - 2 * limits.loop.everyMs);
  expect(here.state(receipt)).not.toBe("unsure");
  await pass(here, 4 * limits.loop.everyMs);
  expect(here.state(receipt)).toBe("unsure");
});

test.each([
  ["forward", hour],
  ["back", -hour],
])("set %s an hour, a turn that only retries asks for attention after its two minutes", async (_, ms) => {
  const here = await rig();
  const receipt = await here.send(waiting);
  await here.reaches(receipt, "delivered");
  const { id: thread_id, latest_turn } = here.view();
  const turn_id = latest_turn!.id;
  here.world.agent.tell({ kind: "turn_retrying", thread_id: thread_id!, turn_id, message: "offline" });
  await until("it retries", () => here.view().latest_turn?.retrying_since !== null);
  here.clock.set(ms);
  const attention = here.world.engine.core.wait({
    targets: [here.ref],
    self: null,
    condition: "attention",
    any: false,
    timeoutMs: 2 * limits.thread.retryingAttentionMs,
    signal: never(),
  });
  let isOver = false;
  void attention.then(() => {
    isOver = true;
  });
  await pass(here, limits.thread.retryingAttentionMs - 10_000);
  expect(isOver).toBe(false);
  await pass(here, 20_000);
  expect(isOver).toBe(true);
  expect((await attention).timed_out).toBe(false);
});

test("a turn that runs for a message is its own, whatever the wall clock says of their times", async () => {
  const here = await rig();
  here.world.agent.beforeNext("startTurn", () => here.clock.set(-hour));
  const receipt = await here.send('[{"hook":"slow"},{"say":"done"}]');
  await pass(here, 2 * limits.message.proofTimeoutMs);
  expect(here.state(receipt)).not.toBe("unsure");
  here.world.agent.release("slow");
  await here.reaches(receipt, "done");
});
