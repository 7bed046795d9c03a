/** A thread that Codex refuses for good says so, ends the waits for it, and goes on when something changed. */

import { beforeEach, expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { limits } from "../../../src/base/limits.ts";
import type { Condition } from "../../../src/contract/words.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, never, type Rig, refusal, rig } from "../rig.ts";

const words = "failed to load configuration: Model provider `mock` not found";

let here: Rig;
beforeEach(async () => {
  here = await rig();
  here.world.agent.configurationLacks(words);
  here.world.agent.kill();
  here.world.agent.up();
});

const core = () => here.world.engine.core;
const wait = (targets: string[], condition: Condition) =>
  core().wait({ targets, self: null, condition, any: false, timeoutMs: null, signal: never() });
const blocked = () => until("blocked", () => here.view().status === "blocked");

test("it is marked, with the reason and what helps, and attention is called for", async () => {
  const receipt = await here.send("hello", { mode: "queue" });
  expect((await wait([here.ref], "attention")).verdict).toBe("ok");
  expect(here.view()).toMatchObject({
    status: "blocked",
    blocked: { reason: words, hint: expect.stringContaining("dispatch daemon retry") },
    queue: { pending: 1, held: false, reason: words },
  });
  expect(core().list({ status: "blocked", archived: false, limit: 10 })).toHaveLength(1);
  expect(core().counts().byStatus).toEqual({ blocked: 1 });
  expect(here.state(receipt)).toBe("queued");
});

test("one that is loaded was last seen when Codex last told of it", async () => {
  const { world, clock, ref, send, view } = await rig();
  world.store.lanes.set(ref, { cwd: "/gone" });
  await send("hello", { mode: "queue" });
  await until("blocked", () => view().status === "blocked");
  expect(world.live.get(world.store.lanes.get(ref).thread_id)).toBeDefined();
  const ageMs = clock.now() - Date.parse(view().as_of!);
  expect(ageMs).toBeGreaterThanOrEqual(0);
  expect(ageMs).toBeLessThan(limits.timer.dayMs);
});

test("the waits for what cannot happen end", async () => {
  const receipt = await here.send("hello", { mode: "queue" });
  await blocked();
  for (const condition of ["done", "turn"] as const)
    expect((await wait([here.ref], condition)).verdict).toBe("blocked");
  expect((await wait([receipt.receipt], "done")).verdict).toBe("blocked");
});

test("a send is refused with the reason, and no hint to steer what does not run", async () => {
  await here.send("hello", { mode: "queue" });
  await blocked();
  const { code, message, hint } = await refusal(here.send("two"));
  expect(code).toBe("thread_busy");
  expect(message).toContain(words);
  expect(hint).toContain("dispatch daemon retry");
  expect(hint).not.toContain("--steer");
});

test.each(["a while", "daemon retry", "another Codex"])(
  "it goes on after %s once that is put right",
  async (what) => {
    const receipt = await here.send("hello", { mode: "queue" });
    await blocked();
    here.world.agent.configurationLacks(null);
    if (what === "daemon retry") core().retryAgent();
    if (what === "another Codex") {
      here.world.agent.kill();
      here.world.agent.up();
    }
    for (let at = 0; at < 10; at++) await here.clock.advance(limits.loop.everyMs);
    await here.reaches(receipt, "done");
    expect(here.view()).toMatchObject({ status: "idle", blocked: null });
  },
);

test("a cancelled queue blocks nothing, nor does a send that was refused", async () => {
  const receipt = await here.send("hello", { mode: "queue" });
  await blocked();
  core().cancel(receipt.receipt);
  expect(here.view()).toMatchObject({ status: "idle", blocked: null });
  expect((await refusal(here.send("now"))).code).toBe("agent");
  expect(here.view()).toMatchObject({ status: "idle", blocked: null });
});

test("what may pass by itself is no block", async () => {
  here.world.agent.configurationLacks(null);
  here.world.agent.refuseNext("resumeThread", "active_writer");
  await here.send("hello", { mode: "queue" });
  await macrotasks(50);
  expect(here.view().blocked).toBeNull();
});

test("a goal that Codex refuses later blocks its thread, in sight", async () => {
  const { world } = await rig();
  const settings = { cwd: "/repo" };
  const { ref } = await world.engine.core.create(
    { name: "goal", text: '[{"hook":"hook"}]', goal: "ship it", settings, key: null, created_by: "cli" },
    never(),
  );
  world.agent.refuseNext("setGoal", "switched_off");
  world.agent.release("hook");
  await until("blocked", () => world.engine.core.view(ref).status === "blocked");
  expect(world.engine.core.view(ref).blocked?.reason).toBe("refused: switched_off");
});

test("what is too large for the wire blocks, as it is refused again", async () => {
  const { world } = here;
  world.agent.configurationLacks(null);
  world.agent.resumeThread = () => Promise.reject(new DispatchError("too_large", "over the limit of a line"));
  await here.send("hello", { mode: "queue" });
  await blocked();
  expect(here.view().blocked?.reason).toBe("over the limit of a line");
});
