/** A row of `list` says what the whole view of the same thread says. */
import { beforeEach, expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import { summaryOf } from "../../../src/ops/views.ts";
import { type Rig, rig, waiting } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
});

function same(): void {
  const { core } = here.world.engine;
  for (const archived of [false, true]) {
    const rows = core.list({ archived, limit: 10 });
    const views = core.listViews({ archived, limit: 10 });
    expect(rows).toHaveLength(views.length);
    for (const [at, view] of views.entries()) {
      const { last, ...told } = rows[at]!;
      const { last: whole, ...summary } = summaryOf(view);
      expect(summary).toMatchObject(told);
      expect(last).toBe(whole && [...whole].slice(0, limits.thread.summaryTextCharsMax).join(""));
    }
  }
}

test("of a thread that was just made, that runs a turn, that waits in its queue, and that is done", async () => {
  same();
  const receipt = await here.send(waiting);
  await here.reaches(receipt, "delivered");
  same();
  const next = await here.send("next", { mode: "queue" });
  same();
  here.world.agent.release("go");
  await here.reaches(next, "done");
  same();
  expect(here.world.engine.core.list({ archived: false, limit: 1 })[0]!.last).not.toBeNull();
});

test("of one with a long last message, a hold, a goal that was interrupted, a turn that is retried, and a request", () => {
  const { store, live, engine } = here.world;
  const { ref } = here;
  const at = Date.parse("2026-01-01");
  store.lanes.set(ref, {
    hold_reason: "by_hand",
    goal: { objective: "ship", status: "paused", token_budget: null, tokens_used: 0, interrupted: true },
    last_message: { text: "𝒳".repeat(500), truncated: true, turn_id: "u", at },
  });
  same();
  const thread_id = here.view().id!;
  const told = { thread_id, turn_id: "u-1" };
  engine.sink.onEvents(live.epoch()!, [
    { kind: "turn_started", ...told, at },
    { kind: "turn_retrying", ...told, message: "no line" },
  ]);
  const [row] = engine.core.list({ archived: false, limit: 1 });
  expect(row).toMatchObject({
    retrying: true,
    goal: "interrupted",
    queue: { held: true, reason: "by_hand" },
  });
  same();
});

test("archived ones are listed apart, and filters look at every thread", async () => {
  const { core } = here.world.engine;
  await core.archive({ ref: here.ref } as Parameters<typeof core.archive>[0]);
  same();
  expect(core.list({ archived: false, limit: 10 })).toEqual([]);
  expect(core.list({ archived: true, limit: 1, status: "archived" })).toHaveLength(1);
  expect(core.list({ archived: true, limit: 1, source: "attached" })).toEqual([]);
  expect(core.list({ archived: true, limit: 1, cwd: "/elsewhere" })).toEqual([]);
});
