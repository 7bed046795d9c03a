/** Ways in which a promise was once broken, each kept as a story. */
import { beforeEach, describe, expect, test } from "bun:test";
import { limits } from "../../src/base/limits.ts";
import type { Waiting } from "../../src/core/core.ts";
import { plain } from "../../src/core/delivery/accept.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import { until } from "../support/codex-sink.ts";
import { macrotasks, never, type Rig, refusal, rig, waiting } from "./rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
});

const core = () => here.world.engine.core;
const thread = () => [...here.world.agent.threads.values()][0]!;
const wait = (over: Partial<Waiting> = {}) =>
  core().wait({
    targets: [here.ref],
    self: null,
    condition: "done",
    any: false,
    timeoutMs: null,
    signal: never(),
    ...over,
  });

describe("a thread that Codex reopened with other settings", () => {
  beforeEach(async () => {
    here.world.agent.kill();
    here.world.agent.up();
  });

  test("takes nothing, however often and in whatever mode it is tried", async () => {
    for (let tries = 0; tries < 3; tries++) {
      here.world.agent.ignoreSettingsOfNextResume();
      expect((await refusal(here.send("two"))).code).toBe("conflict");
    }
    here.world.agent.ignoreSettingsOfNextResume();
    const context = here.send("by the way", { mode: "context" });
    await macrotasks(60);
    await here.clock.advance(limits.message.sendAnswerMs);
    expect((await context).state).toBe("queued");
    expect(here.view().queue.reason).toBe("settings_differ");
    expect(thread().injected).toEqual([]);
    expect(here.world.agent.asked).toEqual([]);
  });

  test("is tried again each time, so that it works when the settings are the stored ones again", async () => {
    here.world.agent.ignoreSettingsOfNextResume();
    await refusal(here.send("two"));
    await here.reaches(await here.send("three"), "done");
    expect(thread().settings.sandbox).toBe("read-only");
  });
});

test("an idle thread is not unloaded under a turn that began while that was decided", async () => {
  await here.reaches(await here.send("hello"), "done");
  const { agent } = here.world;
  const unloaded: (string | undefined)[] = [];
  const { unsubscribe, readThread } = agent;
  agent.unsubscribe = (id) => {
    unloaded.push(here.view().latest_turn?.status);
    return unsubscribe(id);
  };
  const gate = Promise.withResolvers<void>();
  agent.readThread = async (id) => {
    const facts = await readThread(id);
    await gate.promise;
    return facts;
  };
  here.clock.jump(limits.thread.idleUnloadMs + 1000);
  const sending = here.send(waiting);
  await macrotasks(30);
  await here.clock.advance(limits.loop.everyMs);
  gate.resolve();
  await here.reaches(await sending, "delivered");
  await macrotasks(60);
  expect(unloaded).not.toContain("in_progress");
  expect(here.world.live.get(thread().id)).toBeDefined();
});

describe("order", () => {
  test("contexts are added first in, first out, and only when nothing runs", async () => {
    await here.reaches(await here.send(waiting), "delivered");
    const added = ["A", "B", "C"].map((text) => here.send(text, { mode: "context" }));
    await macrotasks(60);
    expect(thread().injected).toEqual([]);
    here.world.agent.release("go");
    const receipts = await Promise.all(added);
    for (const receipt of receipts) await here.reaches(receipt, "done");
    expect(thread().injected).toEqual(receipts.map((receipt) => receipt.receipt));
  });

  test("interjections go in the order they were made, ahead of the queue", async () => {
    await here.reaches(await here.send(waiting), "delivered");
    const queued = await here.send("queued", { mode: "queue" });
    await Promise.all([
      here.send("first", { mode: "interject" }),
      here.send("second", { mode: "interject" }),
    ]);
    await here.reaches(queued, "done");
    expect(here.world.agent.asked.slice(1)).toEqual(["first", "second", "queued"]);
  });

  test("a second steer goes as soon as the first is proven", async () => {
    await here.reaches(await here.send(waiting), "delivered");
    const steers = await Promise.all([
      here.send("one", { mode: "steer" }),
      here.send("two", { mode: "steer" }),
    ]);
    for (const steer of steers) await here.reaches(steer, "delivered");
  });
});

test("one key twice at once is one message and one receipt, in every mode", async () => {
  for (const mode of ["send", "queue", "context", "interject"] as const) {
    const [one, two] = await Promise.all([
      here.send(mode, { mode, key: mode }),
      here.send(mode, { mode, key: mode }),
    ]);
    expect(two.receipt).toBe(one.receipt);
    await here.reaches(one, "done");
  }
});

test("a send that waited does not write a thread that was given away meanwhile", async () => {
  await here.reaches(await here.send("hello"), "done");
  const { agent } = here.world;
  const { unsubscribe } = agent;
  const gate = Promise.withResolvers<void>();
  agent.unsubscribe = async (id) => {
    await gate.promise;
    return unsubscribe(id);
  };
  const giving = core().give(here.ref);
  await macrotasks(30);
  const sending = refusal(here.send("sneaked in"));
  await macrotasks(30);
  gate.resolve();
  await giving;
  expect((await sending).code).toBe("authority");
  expect(here.world.agent.asked).toEqual(["hello"]);
});

test("taken back, a thread has the settings it was given away with", async () => {
  await here.reaches(await here.send("hello"), "done");
  await core().give(here.ref);
  await core().take(here.ref);
  expect(thread().settings.sandbox).toBe("read-only");
  expect(here.view()).toMatchObject({ source: "own", sandbox: "read-only" });
});

describe("what waits on a thread that takes nothing any more", () => {
  test("is cancelled when the thread is forgotten", async () => {
    await here.reaches(await here.send('[{"fail":"no luck"}]'), "done");
    const queued = await here.send("later", { mode: "queue" });
    await core().forget(here.ref);
    expect(here.state(queued)).toBe("cancelled");
    expect(core().counts().queued).toBe(0);
  });

  test("fails, saying so, when Codex has lost the thread", async () => {
    await here.reaches(await here.send('[{"fail":"no luck"}]'), "done");
    const queued = await here.send("later", { mode: "queue" });
    here.world.agent.kill();
    here.world.agent.threads.clear();
    here.world.agent.up();
    core().release(here.ref);
    await here.reaches(queued, "failed");
    expect(core().receipt(queued.receipt).error?.code).toBe("not_found");
    expect(here.view().status).toBe("gone");
  });
});

describe("a wait", () => {
  test("for a turn ends with that turn, though the next one runs already, and judges that one", async () => {
    await here.reaches(await here.send('[{"wait":"a"},{"fail":"no luck"}]'), "delivered");
    const waited = wait({ condition: "turn" });
    await macrotasks(20);
    here.world.agent.release("a");
    await until("it failed", () => here.view().status === "error");
    await here.reaches(await here.send('[{"wait":"b"}]'), "delivered");
    expect((await waited).verdict).toBe("turn_failed");
  });

  test("for context is a good one, and a thread that was only given context is done", async () => {
    const receipt = await here.send("by the way", { mode: "context" });
    expect((await wait({ targets: [receipt.receipt] })).verdict).toBe("ok");
    expect((await wait()).verdict).toBe("ok");
  });
});

describe("a goal of a new thread", () => {
  const withGoal = (text: string | null) =>
    core().create(
      { name: "goal", text, goal: "ship it", settings: { cwd: "/repo" }, key: null, created_by: "cli" },
      never(),
    );

  test("does not run on when its first turn is stopped", async () => {
    const { ref } = await withGoal(waiting);
    await until("it runs", () => core().view(ref).status === "busy");
    expect((await core().stop(ref, 5000)).goal_paused).toBe(true);
    await here.clock.advance(limits.loop.everyMs * 2);
    await macrotasks(60);
    expect(here.world.agent.threads.get(core().view(ref).id!)!.goal?.status).not.toBe("active");
  });

  test("is set though Codex died before it was, and though a resume says that there is none", async () => {
    const { agent } = here.world;
    // It is set paused before the thread gets its name, and made active after.
    agent.beforeNext("nameThread", () => agent.beforeNext("setGoal", () => agent.kill()));
    const { ref } = await withGoal(null);
    await until("the kill", () => here.world.agent.status().state !== "running");
    here.world.agent.up();
    const id = here.world.store.lanes.get(ref).thread_id!;
    here.world.agent.tell({ kind: "goal_changed", thread_id: id, goal: null });
    await here.clock.advance(limits.loop.everyMs * 3);
    await until("it is active", () => here.world.agent.threads.get(id)?.goal?.status === "active");
  });
});

describe("an active goal whose process ended", () => {
  async function active() {
    const { ref } = await core().create(
      { name: "goal", text: null, goal: "ship it", settings: { cwd: "/repo" }, key: null, created_by: "cli" },
      never(),
    );
    await until("it is active", () => core().view(ref).goal?.status === "active");
    return ref;
  }
  const there = (ref: Ref) => here.world.agent.threads.get(core().view(ref).id!)!.goal;
  const attention = async (ref: Ref) => {
    const waited = wait({ targets: [ref], condition: "attention", timeoutMs: 0 });
    await here.clock.advance(1);
    return (await waited).verdict;
  };

  test("is paused at once, asks for attention, and goes on with the command that the view names", async () => {
    const ref = await active();
    expect(await attention(ref)).toBe("timeout");
    here.world.agent.kill();
    const resume = `dispatch goal set ${ref} --status active`;
    await until("paused", () => core().view(ref).goal?.status === "paused");
    expect(core().view(ref).goal).toMatchObject({ resume });
    expect(await attention(ref)).toBe("ok");
    here.world.agent.up();
    await until("paused in Codex", () => there(ref)?.status === "paused");
    expect(await core().goal(ref)).toMatchObject({ status: "paused" });
    expect(core().view(ref).goal).toMatchObject({ status: "paused", resume });
    await core().setGoal(ref, { status: "active" });
    expect(there(ref)?.status).toBe("active");
    expect(core().view(ref).goal).toMatchObject({ status: "active", resume: null });
    expect(await attention(ref)).toBe("timeout");
  });

  test("stays paused and marked over a text that opens its thread again", async () => {
    const ref = await active();
    here.world.agent.kill();
    here.world.agent.up();
    const sent = await core().send(ref, { ...plain, text: "go" }, never());
    await until("done", () => core().receipt(sent.receipt).state === "done");
    expect(core().view(ref).goal).toMatchObject({ status: "paused", resume: expect.any(String) });
  });

  test("is paused by a daemon that starts without a Codex", async () => {
    const ref = await active();
    here.world.agent.kill();
    const { goal } = here.world.store.lanes.get(ref);
    const { interrupted: _, ...rest } = goal!;
    here.world.store.lanes.set(ref, { goal: { ...rest, status: "active" } });
    here.world.engine.begin();
    expect(core().view(ref).goal).toMatchObject({ status: "paused", resume: expect.any(String) });
  });

  test("that was cleared, or paused by a person, asks for nothing", async () => {
    const ref = await active();
    await core().setGoal(ref, { status: "paused" });
    here.world.agent.kill();
    here.world.agent.up();
    await here.clock.advance(limits.loop.everyMs * 2);
    expect(core().view(ref).goal).toMatchObject({ status: "paused", resume: null });
    await core().clearGoal(ref);
    expect(core().view(ref).goal).toBeNull();
  });
});

test("a registry copied back from before a delivery does not deliver the text again", async () => {
  await core().hold(here.ref);
  const sent = await here.send("only once", { mode: "queue" });
  const other = await here.send("not yet", { mode: "queue" });
  const { turns } = thread();
  const said = { type: "user_message" as const, text: "only once", client_id: sent.receipt };
  turns.push({
    id: "01a2ffff-0000-7000-9000-000000000001",
    status: "completed",
    error: null,
    started_at: here.clock.now(),
    completed_at: here.clock.now(),
    items: [
      {
        ...said,
        id: "i-1",
        command: null,
        exit_code: null,
        arguments: null,
        path: null,
        changes: null,
        status: null,
        at: null,
      },
    ],
  });
  here.world.agent.kill();
  here.world.agent.up();
  core().release(here.ref);
  await here.reaches(other, "done");
  expect(here.world.agent.asked.filter((text) => text === "only once")).toEqual([]);
  expect(core().receipt(sent.receipt)).toMatchObject({ state: "done", outcome: "completed", attempt: 0 });
});

test("nothing is delivered into a folder that is gone; the refusal names it and the way out", async () => {
  here.world.store.lanes.set(here.ref, { cwd: "/gone" });
  const refused = await refusal(here.send("work"));
  expect(refused).toMatchObject({
    code: "conflict",
    message: `the folder of thread ${here.ref} is gone: /gone`,
  });
  expect(refused.hint).toContain(`dispatch fork ${here.ref} --name NAME --cwd DIR`);
  expect(here.view()).toMatchObject({ status: "idle", blocked: { reason: refused.message } });
  const queued = await here.send("later", { mode: "queue" });
  await until("the reason", () => here.view().queue.reason?.includes("/gone") === true);
  expect(here.view()).toMatchObject({ status: "blocked", blocked: { reason: refused.message } });
  expect((await wait({ condition: "attention" })).verdict).toBe("ok");
  expect(here.world.agent.asked).toEqual([]);
  here.world.store.lanes.set(here.ref, { cwd: "/repo" });
  for (let at = 0; at < 10; at++) await here.clock.advance(limits.codex.backoffMaxMs);
  await here.reaches(queued, "done");
});

test("a folder that may not be entered is refused in its own words, for a new thread and for one that has it", async () => {
  const draft = { text: null, goal: null, settings: { cwd: "/closed" }, key: null, created_by: "cli" };
  expect(await refusal(core().create({ ...draft, name: "in" }, never()))).toMatchObject({
    code: "usage",
    message: "the directory /closed may not be entered",
  });
  here.world.store.lanes.set(here.ref, { cwd: "/closed" });
  expect(await refusal(here.send("work"))).toMatchObject({
    code: "conflict",
    message: `the folder of thread ${here.ref} may not be entered: /closed`,
    hint: expect.stringContaining("let this user enter it"),
  });
});

test("an override of one turn ends with it, though the turn after it was refused once", async () => {
  const told: (object | undefined)[] = [];
  const { startTurn } = here.world.agent;
  here.world.agent.startTurn = (input) => {
    told.push(input.overrides);
    return startTurn(input);
  };
  await here.reaches(await here.send("one", { overrides: { model: "big" } }), "done");
  here.world.agent.refuseNext("startTurn", "overloaded");
  const two = await here.send("two", { mode: "queue" });
  await until(
    "it was refused",
    () => core().receipt(two.receipt).attempt === 1 && here.state(two) === "queued",
  );
  await here.clock.advance(limits.codex.backoffFirstMs + limits.timer.slackMs);
  await here.reaches(two, "done");
  await here.reaches(await here.send("three"), "done");
  const reset = { model: "mock-model", effort: null, service_tier: null };
  expect(told).toEqual([{ model: "big" }, reset, reset, undefined]);
});

describe("a hold by hand", () => {
  test("outlives whatever else would hold or release", async () => {
    await here.reaches(await here.send(waiting), "delivered");
    const queued = await here.send("next", { mode: "queue" });
    core().hold(here.ref);
    await core().stop(here.ref, 5000);
    expect(here.view().queue.reason).toBe("by_hand");
    here.world.agent.kill();
    here.world.agent.up();
    await here.clock.advance(limits.loop.everyMs * 2);
    expect(here.view().queue.reason).toBe("by_hand");
    expect(here.state(queued)).toBe("queued");
  });

  test("keeps a thread unloaded: nothing of it may go, so nothing opens it", async () => {
    await here.reaches(await here.send("hello"), "done");
    core().hold(here.ref);
    await here.send("next", { mode: "queue" });
    here.world.agent.kill();
    here.world.agent.up();
    await here.clock.advance(limits.loop.everyMs * 3);
    await macrotasks(60);
    expect(thread().isLoaded).toBe(false);
  });
});

test("one event that cannot be stored costs that event, not the batch it came in", async () => {
  await here.reaches(await here.send("hello"), "done");
  const { put } = here.world.store.turns;
  here.world.store.turns.put = (turn) => {
    if (turn.turn_id === "a-bad-one") throw new Error("a bug");
    put(turn);
  };
  const id = thread().id;
  const epoch = here.world.live.epoch()!;
  here.world.engine.sink.onEvents(epoch, [
    { kind: "turn_started", thread_id: id, turn_id: "a-bad-one", at: null },
    { kind: "thread_renamed", thread_id: id, name: "renamed" },
  ]);
  expect(here.view().title).toBe("renamed");
  expect(here.world.live.get(id)).toBeDefined();
});

test("two threads of one name at once: one is made, and the other refused before Codex hears of it", async () => {
  const make = () =>
    core().create(
      { name: "twin", text: null, goal: null, settings: { cwd: "/repo" }, key: null, created_by: "cli" },
      never(),
    );
  const both = await Promise.allSettled([make(), make()]);
  const refused = both.filter((one) => one.status === "rejected").map((one) => one.reason.code);
  expect(refused).toEqual(["conflict"]);
  expect(here.world.agent.threads.size).toBe(2);
});

test("a take that is refused leaves the other app's goal running", async () => {
  const id = here.world.agent.madeElsewhere("theirs", "hello");
  const ref = await core().attach(id, "cli");
  const theirs = here.world.agent.threads.get(id)!;
  Object.assign(theirs, {
    isHeldElsewhere: true,
    goal: { objective: "o", status: "active", token_budget: null, tokens_used: 0 },
  });
  expect((await refusal(core().take(ref))).code).toBe("authority");
  expect(theirs.goal?.status).toBe("active");
});

test("text over the limit is refused by the registry's own rule, for every caller", async () => {
  expect((await refusal(here.send("x".repeat(limits.input.textBytesMax + 1)))).code).toBe("too_large");
  expect(here.world.store.messages.list({ limit: 1 })).toEqual([]);
});

test("a hold that the user wants to release itself does, when its turn is over; another stays", async () => {
  const easy = await rig({ policy: { releaseAfter: ["failed"] } });
  await easy.reaches(await easy.send('[{"fail":"no luck"}]'), "done");
  await easy.reaches(await easy.send("next", { mode: "queue" }), "done");
  await easy.reaches(await easy.send(waiting), "delivered");
  const queued = await easy.send("later", { mode: "queue" });
  await easy.world.engine.core.stop(easy.ref, 5000);
  await macrotasks(60);
  expect(easy.state(queued)).toBe("queued");
  expect(easy.view().queue.reason).toBe("stopped");
});

describe("a turn that is ended before it took its text", () => {
  const cut = async (mode: "send" | "queue") => {
    here.world.agent.loseNextText();
    const receipt = await here.send("the text", { mode });
    await here.reaches(receipt, "sent");
    return receipt;
  };

  test("by a stop: nothing begins again, and the receipt says that it was not taken", async () => {
    const receipt = await cut("send");
    expect(await core().stop(here.ref, 5000)).toMatchObject({ state: "stopped" });
    expect(here.state(receipt)).toBe("failed");
    expect(core().receipt(receipt.receipt).error?.message).toContain("not taken");
    await macrotasks(60);
    expect(here.world.agent.asked).toEqual([]);
    await here.reaches(await here.send("the next"), "done");
  });

  test("by a stop: what waited its turn waits on, held", async () => {
    const receipt = await cut("queue");
    await core().stop(here.ref, 5000);
    await macrotasks(60);
    expect(here.state(receipt)).toBe("queued");
    expect(here.view().queue.reason).toBe("stopped");
    core().release(here.ref);
    await here.reaches(receipt, "done");
    expect(here.world.agent.asked).toEqual(["the text"]);
  });

  test("by an interjection: it goes after that", async () => {
    const first = await cut("send");
    const second = await here.send("at once", { mode: "interject" });
    await here.reaches(second, "done");
    await here.reaches(first, "done");
    expect(here.world.agent.asked).toEqual(["at once", "the text"]);
  });
});
