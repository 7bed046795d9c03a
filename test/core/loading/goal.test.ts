/** A goal starts work by itself, so nothing starts it but who asked for it. */
import { beforeEach, expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, never, type Rig, refusal, rig } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
});

const core = () => here.world.engine.core;
const thread = () => here.world.agent.threads.get(here.view().id!)!;

test("a new goal in the place of a finished one begins with no tokens used", async () => {
  thread().goal = { objective: "one", status: "complete", token_budget: 100, tokens_used: 90 };
  await core().setGoal(here.ref, { objective: "two", status: "active" });
  expect(thread().goal).toMatchObject({ objective: "two", status: "active", tokens_used: 0 });
});

test("a goal that runs is changed where it is, with what it used", async () => {
  thread().goal = { objective: "one", status: "active", token_budget: 100, tokens_used: 90 };
  await core().setGoal(here.ref, { objective: "one and a half" });
  expect(thread().goal).toMatchObject({ objective: "one and a half", tokens_used: 90 });
});

test("to open a thread does not continue the goal that another app left in it", async () => {
  await here.reaches(await here.send("hello"), "done");
  await here.clock.advance(limits.thread.idleUnloadMs + limits.loop.everyMs * 2);
  await until("it is unloaded", () => !thread().isLoaded);
  thread().goal = { objective: "theirs", status: "active", token_budget: null, tokens_used: 0 };
  let resumedWith: string | undefined;
  here.world.agent.beforeNext("resumeThread", () => {
    resumedWith = thread().goal?.status;
  });
  await here.reaches(await here.send("again"), "done");
  expect(resumedWith).toBe("paused");
});

test("the goal of a new thread does not begin while its queue is held", async () => {
  const draft = { name: "goal", text: '[{"hook":"slow"},{"say":"ok"}]', goal: "ship it" };
  const { ref } = await core().create(
    { ...draft, settings: { cwd: "/repo" }, key: null, created_by: "cli" },
    never(),
  );
  await until("its turn", () => core().view(ref).status === "busy");
  await core().hold(ref);
  here.world.agent.release("slow");
  await until("it is over", () => core().view(ref).latest_turn?.status === "completed");
  for (let at = 0; at < 3; at++) await here.clock.advance(limits.loop.everyMs);
  await macrotasks(40);
  const id = here.world.store.lanes.get(ref)!.thread_id!;
  expect(here.world.agent.threads.get(id)?.goal?.status).toBe("paused");
  core().release(ref);
  await until("it is active", () => here.world.agent.threads.get(id)?.goal?.status === "active");
});

test("between two turns of an active goal nothing unloads the thread; archived by another app, its goal is over", async () => {
  await here.reaches(await here.send("hello"), "done");
  const goal = { objective: "ship", status: "active" as const, token_budget: null, tokens_used: 0 };
  here.world.store.lanes.set(here.ref, { goal });
  for (const cut of [core().archive({ ref: here.ref }), core().give(here.ref), core().forget(here.ref)])
    expect(await refusal(cut)).toMatchObject({
      code: "thread_busy",
      hint: `dispatch goal set ${here.ref} --status paused`,
    });
  expect(core().betweenGoalTurns()).toMatchObject([{ ref: here.ref }]);
  here.world.agent.tell({ kind: "thread_archived", thread_id: here.view().id!, archived: true });
  await until("it is archived", () => here.view().status === "archived");
  expect(here.view().goal).toMatchObject({ status: "paused", interrupted: true });
  expect(core().betweenGoalTurns()).toEqual([]);
});
