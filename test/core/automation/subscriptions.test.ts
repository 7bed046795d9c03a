/** A thread that is woken when others are done, fail or wait. */
import { expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import type { Actions } from "../../../src/core/automation/effect.ts";
import { fireTogether } from "../../../src/core/automation/fire.ts";
import type { SubscriptionDraft } from "../../../src/core/automation/subscriptions.ts";
import { plain } from "../../../src/core/delivery/accept.ts";
import { delivery } from "../../../src/core/delivery/modes.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import { testWorld } from "../../world/world.ts";
import { macrotasks, never, type Rig, refusal, rig } from "../rig.ts";

async function thread(here: Rig, name: string): Promise<Ref> {
  const settings = { cwd: "/repo", sandbox: "read-only" as const };
  const draft = { name, text: null, goal: null, settings, key: null, created_by: "cli" };
  return (await here.world.engine.core.create(draft, never())).ref;
}

function subscribe(here: Rig, of: readonly Ref[], over: Partial<SubscriptionDraft> = {}) {
  return here.world.engine.core.subscribe({
    of,
    conditions: ["done"],
    to: here.ref,
    deliver: "queue",
    all: false,
    once: true,
    tail: 1,
    caller: "cli",
    ...over,
  });
}

const send = (here: Rig, ref: Ref, text: string) =>
  here.world.engine.core.send(ref, { ...plain, text }, never());
const texts = (here: Rig) =>
  here.world.store.messages
    .list({ lane: here.ref, limit: 100 })
    .map(({ text }) => text)
    .reverse();
const gate = (name: string, said: string) => JSON.stringify([{ wait: name }, { say: said }]);

test("a parent is woken when a worker is done, with its last words as data", async () => {
  const here = await rig();
  const worker = await thread(here, "worker");
  await send(here, worker, gate("go", "all tests pass"));
  const { id } = subscribe(here, [worker]);
  await macrotasks(40);
  expect(texts(here)).toEqual([]);
  here.world.agent.release("go");
  await macrotasks(120);
  const [text] = texts(here);
  expect(texts(here)).toHaveLength(1);
  expect(text).toContain(`Thread @worker (${worker}) is done.`);
  expect(text).toMatch(/<(message-\w+)>\nall tests pass\n<\/\1>/);
  expect(text).toContain("no instruction of the user");
  expect(here.world.engine.core.subscriptions({ limit: 10 })).toMatchObject([
    { id, state: "ended", fired: 1, reason: "it fired 1 time, as often as it may" },
  ]);
  // Once is once.
  await send(here, worker, "again");
  await macrotasks(120);
  expect(texts(here)).toHaveLength(1);
});

test("a wake says whether a turn was cut by the end of Codex or before its end by somebody", async () => {
  const here = await rig();
  const [crashed, stopped] = [await thread(here, "crashed"), await thread(here, "stopped")];
  for (const ref of [crashed, stopped]) await send(here, ref, gate("never", "x"));
  await macrotasks(40);
  subscribe(here, [crashed, stopped], { conditions: ["attention"], once: false });
  await here.world.engine.core.stop(stopped, 1000);
  await macrotasks(120);
  expect(texts(here).join("\n")).toContain(`(${stopped}) was interrupted before its end.`);
  here.world.agent.kill();
  here.world.agent.up();
  await macrotasks(200);
  expect(here.world.engine.core.view(crashed).queue.reason).toBe("crashed");
  expect(texts(here).join("\n")).toContain(`(${crashed}) was interrupted: the Codex that ran it ended.`);
});

test("what holds already wakes at once, and each time where that was asked for", async () => {
  const here = await rig();
  const worker = await thread(here, "worker");
  await send(here, worker, "one");
  await macrotasks(60);
  subscribe(here, [worker], { once: false });
  await macrotasks(80);
  expect(texts(here)).toHaveLength(1);
  await send(here, worker, "two");
  await macrotasks(120);
  expect(texts(here)).toHaveLength(2);
});

test("of several workers one wake with all answers, when the last of them is done", async () => {
  const here = await rig();
  const workers: Ref[] = [];
  for (const name of ["a", "b", "c"]) {
    const ref = await thread(here, name);
    workers.push(ref);
    await send(here, ref, gate(`go-${name}`, `answer of ${name}`));
  }
  subscribe(here, workers, { all: true });
  for (const name of ["b", "c", "a"]) {
    expect(texts(here)).toEqual([]);
    here.world.agent.release(`go-${name}`);
    await macrotasks(120);
  }
  expect(texts(here)).toHaveLength(1);
  for (const name of ["a", "b", "c"]) expect(texts(here)[0]).toContain(`answer of ${name}`);
});

test("a failure and a question are told apart, and the question with the command that answers it", async () => {
  const here = await rig();
  const worker = await thread(here, "worker");
  subscribe(here, [worker], { conditions: ["failed", "waiting"], once: false });
  await send(here, worker, JSON.stringify([{ fail: "no such luck" }]));
  await macrotasks(120);
  await send(here, worker, JSON.stringify([{ ask: "touch x" }]));
  await macrotasks(120);
  expect(texts(here)).toHaveLength(2);
  // Of one instant on this clock, so in no order.
  const both = texts(here).join("\n");
  expect(both).toContain("failed: no such luck");
  expect(both).toMatch(/waits for an answer: .*dispatch request get/);
});

test("the inbox keeps it and wakes nobody; for the person as well", async () => {
  const here = await rig();
  const worker = await thread(here, "worker");
  subscribe(here, [worker], { to: null, deliver: "inbox" });
  subscribe(here, [worker], { deliver: "inbox" });
  await send(here, worker, "hello");
  await macrotasks(120);
  const { core } = here.world.engine;
  expect(texts(here)).toEqual([]);
  const [mine] = core.inbox({ lane: null, states: ["pending"], limit: 10 });
  expect(mine?.text).toContain("is done");
  expect(core.inbox({ lane: here.ref, states: ["pending"], limit: 10 })).toHaveLength(1);
  core.ackInbox([mine!.id]);
  expect(core.inbox({ lane: null, states: ["pending"], limit: 10 })).toEqual([]);
  expect(core.readInbox(mine!.id).state).toBe("acked");
});

test("a wake is made once, whenever the daemon is killed", async () => {
  // At each number of steps after the release the daemon is killed and another one goes on.
  for (let steps = 0; steps < 40; steps++) {
    const here = await rig();
    const worker = await thread(here, "worker");
    await send(here, worker, gate("go", "done it"));
    subscribe(here, [worker]);
    await macrotasks(20);
    here.world.agent.release("go");
    await macrotasks(steps);
    here.world.abandon();
    const { store, agent } = here.world;
    const next = testWorld({ clock: here.clock, store, threads: agent.threads });
    next.engine.begin();
    next.agent.up();
    for (let at = 0; at < 30; at++) {
      await here.clock.advance(1000);
      await macrotasks(8);
    }
    const wakes = store.messages.list({ lane: here.ref, limit: 10 });
    expect(wakes, `killed after ${steps} steps`).toHaveLength(1);
    await next.end();
  }
}, 60_000);

test("of two that are done already one wake is enough where one was asked for", async () => {
  const here = await rig();
  const workers = [await thread(here, "a"), await thread(here, "b")];
  for (const worker of workers) await send(here, worker, "one");
  await macrotasks(80);
  subscribe(here, workers);
  await macrotasks(80);
  expect(texts(here)).toHaveLength(1);
});

test("two occurrences of one transaction wake once, where one wake was asked for", async () => {
  const here = await rig();
  const worker = await thread(here, "a");
  const { id } = subscribe(here, [worker]);
  const { store } = here.world;
  const automation = store.automations.find(id)!;
  const actions: Actions = {
    delivery: delivery(here.world),
    stop: () => Promise.reject(new Error("not asked for")),
    create: () => Promise.reject(new Error("not asked for")),
  };
  const at = (slot: string) => ({
    automation,
    occurrence: { slot, moment: 0, event: null, about: worker, missed: 0, next: null, text: slot },
  });
  fireTogether(here.world, actions, [at("first"), at("second")]);
  expect(texts(here)).toEqual([expect.stringContaining("first")]);
});

test("one that was paused since it was read fires nothing", async () => {
  const here = await rig();
  const worker = await thread(here, "a");
  const { id } = subscribe(here, [worker], { once: false });
  const { store } = here.world;
  const automation = store.automations.find(id)!;
  store.automations.set(id, { state: "paused", reason: "by hand" });
  const actions: Actions = {
    delivery: delivery(here.world),
    stop: () => Promise.reject(new Error("not asked for")),
    create: () => Promise.reject(new Error("not asked for")),
  };
  const occurrence = {
    slot: "late",
    moment: 0,
    event: null,
    about: worker,
    missed: 0,
    next: null,
    text: "late",
  };
  fireTogether(here.world, actions, [{ automation, occurrence }]);
  expect(texts(here)).toEqual([]);
});

test("a Codex that does not answer whether a thread is idle costs no wake", async () => {
  const here = await rig();
  const worker = await thread(here, "worker");
  await send(here, worker, gate("go", "done it"));
  subscribe(here, [worker]);
  await macrotasks(40);
  here.world.agent.readThread = () => Promise.reject(new DispatchError("timeout", "no answer"));
  here.world.agent.release("go");
  await macrotasks(120);
  const wakes = () => here.world.store.messages.list({ lane: here.ref, limit: 10 });
  expect(wakes()).toHaveLength(1);
});

test("on a full disk a wake is late, and not lost", async () => {
  const here = await rig();
  const worker = await thread(here, "worker");
  await send(here, worker, gate("go", "done it"));
  subscribe(here, [worker]);
  await macrotasks(40);
  const { store } = here.world;
  const { fire } = store.automations;
  let refused = 0;
  store.automations.fire = () => {
    refused++;
    throw new DispatchError("storage", "the disk is full");
  };
  here.world.agent.release("go");
  await macrotasks(120);
  expect(refused).toBeGreaterThan(0);
  expect(texts(here)).toEqual([]);
  store.automations.fire = fire;
  for (let at = 0; at < 20; at++) {
    await here.clock.advance(2000);
    await macrotasks(10);
  }
  expect(texts(here)).toHaveLength(1);
});

test("a wake says what caused it, back to the first message", async () => {
  const here = await rig();
  const worker = await thread(here, "worker");
  const first = await send(here, worker, "begin");
  subscribe(here, [worker]);
  await macrotasks(120);
  const { core } = here.world.engine;
  const [wake] = here.world.store.messages.list({ lane: here.ref, limit: 1 });
  expect(core.writer(wake!.id)).toStartWith("subscription ");
  // What held already when it was subscribed to has no event; what comes later has the message of the turn.
  subscribe(here, [worker], { once: false });
  await macrotasks(60);
  const second = await send(here, worker, "again");
  await macrotasks(120);
  const wakes = here.world.store.messages.list({ lane: here.ref, limit: 10 });
  const caused = wakes.map(({ id }) => core.causes(id)).find((chain) => chain[0]?.cause === second.receipt);
  expect(caused).toEqual([{ cause: second.receipt, thread: worker, by: null }]);
  expect(first.receipt).not.toBe(second.receipt);
});

test("bad input stores nothing", async () => {
  const here = await rig();
  const worker = await thread(here, "worker");
  const none = never;
  for (const [call, code] of [
    [async () => subscribe(here, [here.ref]), "usage"],
    [async () => subscribe(here, [worker], { to: null }), "usage"],
    [async () => subscribe(here, []), "usage"],
    [async () => subscribe(here, ["nobody" as Ref]), "not_found"],
  ] as const)
    expect((await refusal(call())).code).toBe(code);
  expect(here.world.engine.core.subscriptions({ limit: 10 })).toEqual([]);
  expect(none()).toBeDefined();
});
