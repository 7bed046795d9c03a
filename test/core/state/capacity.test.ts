/** A limit on the turns that run at a time, over all threads. */

import { expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import type { Receipt } from "../../../src/contract/receipt.ts";
import { plain } from "../../../src/core/delivery/accept.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import { macrotasks, never, type Rig, refusal, rig } from "../rig.ts";

const gated = (name: string) => JSON.stringify([{ wait: name }, { say: "done" }]);

async function threads(here: Rig, count: number): Promise<Ref[]> {
  const refs = [here.ref];
  for (let at = 1; at < count; at++) {
    const draft = {
      name: `t${at}`,
      text: null,
      goal: null,
      settings: { cwd: "/repo" },
      key: null,
      created_by: "cli",
    };
    refs.push((await here.world.engine.core.create(draft, never())).ref);
  }
  return refs;
}

test("what is over the limit waits, says why, and goes longest waiting first as turns end", async () => {
  const here = await rig({ policy: { maxRunningTurns: 2 } });
  const { core } = here.world.engine;
  const refs = await threads(here, 5);
  const receipts: Receipt[] = [];
  for (const [at, ref] of refs.entries()) {
    receipts.push(await core.send(ref, { ...plain, mode: "queue", text: gated(`go-${at}`) }, never()));
    here.clock.jump(10);
    await macrotasks(40);
  }
  const states = () => receipts.map((one) => here.state(one));
  expect(states()).toEqual(["delivered", "delivered", "queued", "queued", "queued"]);
  expect(core.view(refs[2]!).queue.reason).toContain("max_running_turns");
  expect((await refusal(core.send(refs[3]!, { ...plain, text: "now" }, never()))).code).toBe("thread_busy");

  here.world.agent.release("go-1");
  await macrotasks(60);
  expect(states()).toEqual(["delivered", "done", "delivered", "queued", "queued"]);
  expect(core.view(refs[2]!).queue.reason).toBeNull();
  for (const at of [0, 2, 3, 4]) here.world.agent.release(`go-${at}`);
  await macrotasks(200);
  expect(states()).toEqual(["done", "done", "done", "done", "done"]);
});

test("a place that is free again goes past a thread that a usage limit keeps", async () => {
  const here = await rig({ policy: { maxRunningTurns: 1 } });
  const { core } = here.world.engine;
  const { store } = here.world;
  const [first, kept, next] = (await threads(here, 3)) as [Ref, Ref, Ref];
  const receipts: Receipt[] = [];
  for (const [at, ref] of [first, kept, next].entries()) {
    receipts.push(await core.send(ref, { ...plain, mode: "queue", text: gated(`go-${at}`) }, never()));
    here.clock.jump(10);
    await macrotasks(40);
  }
  store.lanes.set(kept, {
    effective: { ...store.lanes.get(kept).effective!, model_provider: "limited" },
  });
  const until = here.clock.now() + limits.timer.dayMs;
  const times = { resets_at: until, until, began_at: here.clock.now() };
  store.usageLimits.put({ provider: "limited", limit_id: null, reason: "used up", ...times });
  here.world.agent.release("go-0");
  await macrotasks(60);
  expect(receipts.map((one) => here.state(one))).toEqual(["done", "queued", "delivered"]);
});

test("of many that see the last place free at once, one gets it", async () => {
  const here = await rig({ policy: { maxRunningTurns: 1 } });
  const { core } = here.world.engine;
  const refs = await threads(here, 4);
  const sent = await Promise.allSettled(
    refs.map((ref) => core.send(ref, { ...plain, text: gated("go") }, never())),
  );
  expect(sent.filter((one) => one.status === "fulfilled")).toHaveLength(1);
  await macrotasks(40);
  expect(here.world.agent.asked).toHaveLength(1);
});

test("of many whose queues see the last place free at once, one gets it", async () => {
  const here = await rig({ policy: { maxRunningTurns: 1 } });
  const { core } = here.world.engine;
  const refs = await threads(here, 4);
  const queued = { ...plain, mode: "queue" as const, text: gated("go") };
  await Promise.all(refs.map((ref) => core.send(ref, queued, never())));
  await macrotasks(60);
  expect(here.world.agent.asked).toHaveLength(1);
});

test("steers and context are no turns of their own", async () => {
  const here = await rig({ policy: { maxRunningTurns: 1 } });
  const running = await here.send(gated("go"));
  await here.reaches(running, "delivered");
  await here.reaches(await here.send("this way", { mode: "steer" }), "delivered");
  const [, other] = await threads(here, 2);
  const context = await here.world.engine.core.send(
    other!,
    { ...plain, mode: "context", text: "by the way" },
    never(),
  );
  await here.reaches(context, "done");
});

test("a turn that another app runs takes no place, whatever became of it", async () => {
  const here = await rig({ policy: { maxRunningTurns: 1, attachedQueue: true } });
  const { core } = here.world.engine;
  const id = here.world.agent.madeElsewhere("theirs", "hello");
  const ref = await core.attach(id, "cli");
  const receipt = await core.send(ref, { ...plain, mode: "queue", text: "theirs to run" }, never());
  await here.reaches(receipt, "sent");
  const thread = here.world.agent.threads.get(id)!;
  const said = { ...thread.turns[0]!.items[0]!, type: "user_message" as const, client_id: receipt.receipt };
  thread.nativeQueue = [];
  thread.turns.push({
    ...thread.turns[0]!,
    id: `${id}-2`,
    status: "interrupted",
    completed_at: null,
    items: [said],
  });
  await here.clock.advance(limits.loop.everyMs);
  await here.reaches(receipt, "delivered");
  expect(core.running()).toEqual([]);
  await here.reaches(await here.send("mine"), "done");
});

test("while a new daemon waits to take over no turn starts, and when it has given up all goes on", async () => {
  const here = await rig();
  const { core } = here.world.engine;
  await core.send(here.ref, { ...plain, mode: "queue", text: gated("go") }, never());
  await macrotasks(40);
  const next = await core.send(here.ref, { ...plain, mode: "queue", text: "next" }, never());
  core.beginHandover();
  here.world.agent.release("go");
  await macrotasks(60);
  expect(here.state(next)).toBe("queued");
  expect(core.view(here.ref).queue.reason).toContain("a new daemon takes over");
  expect((await refusal(core.send(here.ref, { ...plain, text: "now" }, never()))).code).toBe("thread_busy");

  // It asks again and again.
  await here.clock.advance(limits.daemon.handoverMs - 100);
  core.beginHandover();
  await here.clock.advance(limits.daemon.handoverMs - 100);
  expect(here.state(next)).toBe("queued");
  await here.clock.advance(200 + limits.timer.slackMs);
  await macrotasks(60);
  expect(here.state(next)).toBe("done");
  expect(core.view(here.ref).queue.reason).toBeNull();
});
