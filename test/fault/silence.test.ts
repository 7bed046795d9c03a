/** Hours of silence in no time: the real core over the model of Codex, by a clock that the test moves. */
import { expect, test } from "bun:test";
import { plain } from "../../src/core/delivery/accept.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import type { HandClock } from "../support/codex-clock.ts";
import { patientClock } from "../support/fault-time.ts";
import { type TestWorld, testWorld } from "../world/world.ts";

const minute = 60_000;
const signal = new AbortController().signal;

/** A thread with a turn that waits for `go`. */
async function waiting(): Promise<{
  clock: HandClock;
  world: TestWorld;
  ref: Ref;
  receipt: string;
  turnId: string;
}> {
  const clock = patientClock();
  const world = testWorld({ clock });
  world.engine.begin();
  world.agent.up();
  const settings = { cwd: "/repo" };
  const draft = { name: "docs", text: null, goal: null, settings, key: null, created_by: "test" };
  const { ref } = await world.engine.core.create(draft, signal);
  const text = '[{"wait":"go"},{"say":"over"}]';
  const sent = world.engine.core.send(ref, { ...plain, text }, signal);
  await clock.advance(6000);
  const { receipt, turn_id } = await sent;
  return { clock, world, ref, receipt, turnId: turn_id! };
}

test("a turn that is silent for a day, and lives, is left alone", async () => {
  const { clock, world, ref, receipt } = await waiting();
  await clock.advance(24 * 60 * minute);
  expect(world.engine.core.view(ref)).toMatchObject({
    status: "busy",
    confidence: "live",
    queue: { held: false },
  });
  world.agent.release("go");
  await clock.advance(minute);
  expect(world.engine.core.receipt(receipt)).toMatchObject({
    state: "done",
    outcome: "completed",
    attempt: 1,
  });
  await world.end();
});

test("a turn that only retries asks for attention after two minutes, and is not ended", async () => {
  const { clock, world, ref, turnId } = await waiting();
  const { core, sink } = world.engine;
  const { id } = core.view(ref);
  const message = "Reconnecting... waiting for network";
  sink.onEvents(world.live.epoch()!, [{ kind: "turn_retrying", thread_id: id!, turn_id: turnId, message }]);
  let verdict: string | undefined;
  const asked = {
    targets: [ref],
    self: null,
    condition: "attention" as const,
    any: false,
    timeoutMs: null,
    signal,
  };
  void core.wait(asked).then((waited) => {
    verdict = waited.verdict;
  });
  await clock.advance(1.9 * minute);
  expect(verdict).toBeUndefined();
  await clock.advance(0.2 * minute);
  expect(verdict).toBe("ok");
  await clock.advance(60 * minute);
  expect(core.view(ref).latest_turn).toMatchObject({
    status: "in_progress",
    retrying_since: expect.any(String),
  });
  world.agent.release("go");
  await clock.advance(minute);
  expect(core.view(ref).latest_turn).toMatchObject({ status: "completed", retrying_since: null });
  await world.end();
});
