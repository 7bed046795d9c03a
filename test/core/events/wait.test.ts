import { beforeEach, describe, expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { limits } from "../../../src/base/limits.ts";
import type { Waiting } from "../../../src/core/core.ts";
import { plain } from "../../../src/core/delivery/accept.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, never, type Rig, refusal, rig, waiting } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
});

const wait = (over: Partial<Waiting> = {}) =>
  here.world.engine.core.wait({
    targets: [here.ref],
    self: null,
    condition: "done",
    any: false,
    timeoutMs: null,
    signal: never(),
    ...over,
  });

const busy = async () => here.reaches(await here.send(waiting), "delivered");

describe("done", () => {
  test("answers at once when it holds already", async () => {
    await here.reaches(await here.send("hello"), "done");
    expect(await wait()).toMatchObject({ verdict: "ok", timed_out: false });
  });

  test("does not hold for a thread that never worked", async () => {
    const waited = wait({ timeoutMs: 1000 });
    await here.clock.advance(1000);
    expect(await waited).toMatchObject({ verdict: "timeout", timed_out: true });
  });

  test("waits for what is queued, unless that is held", async () => {
    await busy();
    await here.send("next", { mode: "queue" });
    let isOver = false;
    const waited = wait().then((result) => {
      isOver = true;
      return result;
    });
    await here.clock.advance(2000);
    expect(isOver).toBe(false);
    await here.world.engine.core.stop(here.ref, 1000);
    expect((await waited).verdict).toBe("turn_failed");
  });

  test("does not hold between two turns of an active goal, and does when the goal or its last turn has ended", async () => {
    await here.reaches(await here.send("hello"), "done");
    const { lanes } = here.world.store;
    const goal = { objective: "ship", status: "active" as const, token_budget: null, tokens_used: 0 };
    lanes.set(here.ref, { goal });
    const waited = wait({ timeoutMs: 1000 });
    await here.clock.advance(1000);
    expect(await waited).toMatchObject({ verdict: "timeout" });
    lanes.set(here.ref, { goal: { ...goal, status: "complete" } });
    expect(await wait()).toMatchObject({ verdict: "ok" });
    // Codex goes on after no other turn than a completed one.
    lanes.set(here.ref, { goal });
    await here.reaches(await here.send('[{"fail":"no such luck"}]'), "done");
    lanes.set(here.ref, { goal });
    expect(await wait()).toMatchObject({ verdict: "turn_failed" });
  });

  test("a text that is cancelled while it is waited for is told as that, not as a failed turn", async () => {
    await busy();
    const { receipt } = await here.send("next", { mode: "queue" });
    const waited = wait({ targets: [receipt] });
    here.world.engine.core.cancel(receipt);
    expect(await waited).toMatchObject({ verdict: "cancelled" });
  });

  test("ends at once, saying so, when a question opens", async () => {
    const waited = wait();
    await here.send('[{"ask":"touch x"}]');
    expect((await waited).verdict).toBe("needs_answer");
  });

  test("tells a failed turn from a good one", async () => {
    await here.reaches(await here.send('[{"fail":"no luck"}]'), "done");
    expect((await wait()).verdict).toBe("turn_failed");
  });
});

test("turn waits for the running turn, else for the next one", async () => {
  await here.reaches(await here.send("one"), "done");
  const waited = wait({ condition: "turn" });
  await here.clock.advance(1000);
  const two = await here.send("two");
  await here.reaches(two, "done");
  const { threads } = await waited;
  expect(threads[0]!.latest_turn?.id).toBe(here.world.engine.core.receipt(two.receipt).turn_id!);
});

test("attention holds for a held queue, an open question and a turn that only retries", async () => {
  await busy();
  const attention = () => wait({ condition: "attention", timeoutMs: 0 });
  const soon = async () => {
    const waited = attention();
    await here.clock.advance(1);
    return (await waited).verdict;
  };
  expect(await soon()).toBe("timeout");
  const [thread] = [...here.world.agent.threads.values()];
  here.world.agent.tell({
    kind: "turn_retrying",
    thread_id: thread!.id,
    turn_id: thread!.running!.turn.id,
    message: "Reconnecting... 1/2",
  });
  await until("retrying", () => here.view().latest_turn?.retrying_since !== null);
  expect(await soon()).toBe("timeout");
  expect(here.view().latest_turn).toMatchObject({ error: null, retrying_reason: "Reconnecting... 1/2" });
  await here.clock.advance(limits.thread.retryingAttentionMs + 1000);
  expect(await soon()).toBe("ok");
  here.world.agent.tell({
    kind: "turn_recovered",
    thread_id: thread!.id,
    turn_id: thread!.running!.turn.id,
  });
  await until("it goes on", () => here.view().latest_turn?.retrying_since === null);
  expect(here.view().latest_turn).toMatchObject({ error: null, retrying_reason: null });
  expect(await soon()).toBe("timeout");
});

test("done waits for the sub-agents of a turn that is over; the view names them, and the thread stays loaded", async () => {
  const { agent, live } = here.world;
  await here.reaches(await here.send("hello"), "done");
  const [thread] = [...agent.threads.values()];
  const tell = (agents: string[]) => agent.tell({ kind: "agents_working", thread_id: thread!.id, agents });
  tell(["C"]);
  await until("they are seen", () => here.view().agents.length === 1);
  expect(here.view().agents).toEqual(["C"]);
  expect(here.world.engine.core.withAgents().map(({ ref }) => ref)).toEqual([here.ref]);
  const idle = async () => {
    for (let at = 0; at < limits.thread.idleUnloadMs * 2; at += limits.loop.everyMs) {
      await here.clock.advance(limits.loop.everyMs);
      await macrotasks(20);
    }
  };
  const waited = wait({ condition: "done" });
  let isOver = false;
  void waited.then(() => {
    isOver = true;
  });
  await idle();
  expect(isOver).toBe(false);
  expect(live.get(thread!.id)).toBeDefined();
  tell([]);
  await here.clock.advance(limits.loop.waitLookEveryMs);
  expect((await waited).verdict).toBe("ok");
  // Its report is taken by the next turn; after that the thread is let go.
  await idle();
  expect(live.get(thread!.id)).toBeDefined();
  await here.reaches(await here.send("and?"), "done");
  await idle();
  expect(live.get(thread!.id)).toBeUndefined();
});

test("any is content with one of several; a receipt is waited for until it is settled", async () => {
  const { core } = here.world.engine;
  const other = await core.create(
    { name: "other", text: null, goal: null, settings: { cwd: "/repo" }, key: null, created_by: "cli" },
    never(),
  );
  const receipt = await here.send("hello");
  const both = await wait({ targets: [here.ref, other.ref], any: true });
  expect(both.threads).toHaveLength(2);
  expect((await wait({ targets: [receipt.receipt] })).verdict).toBe("ok");
});

test("while one of many runs on, its events cost nothing of the others, in the registry or in Codex", async () => {
  const { core } = here.world.engine;
  const others: Ref[] = [];
  for (const name of ["one", "two", "three"]) {
    const settings = { cwd: "/repo" };
    const draft = { name, text: "hello", goal: null, settings, key: null, created_by: "cli" };
    const { ref } = await core.create(draft, never());
    await wait({ targets: [ref] });
    others.push(ref);
  }
  await busy();
  const looked: Ref[] = [];
  const { lanes } = here.world.store;
  const { getFacts } = lanes;
  lanes.getFacts = (ref) => {
    looked.push(ref);
    return getFacts(ref);
  };
  let reads = 0;
  const { readThread } = here.world.agent;
  here.world.agent.readThread = (threadId) => {
    reads++;
    return readThread(threadId);
  };
  const waited = wait({ targets: [here.ref, ...others] });
  expect(looked).toEqual([here.ref, ...others]);
  for (const text of ["a", "b", "c"]) {
    await here.send(text, { mode: "queue" });
    await macrotasks(5);
  }
  expect(looked.slice(4).filter((ref) => others.includes(ref))).toEqual([]);
  expect(reads).toBe(0);
  await core.stop(here.ref, 1000);
  expect((await waited).verdict).toBe("turn_failed");
  // For the answer.
  expect(reads).toBeGreaterThanOrEqual(4);
});

test("one that had settled and works again is waited for again", async () => {
  const { core } = here.world.engine;
  const settings = { cwd: "/repo" };
  const other = await core.create(
    { name: "other", text: "hello", goal: null, settings, key: null, created_by: "cli" },
    never(),
  );
  await wait({ targets: [other.ref] });
  await busy();
  let isOver = false;
  const waited = wait({ targets: [here.ref, other.ref] }).then((result) => {
    isOver = true;
    return result;
  });
  const text = '[{"wait":"later"},{"say":"so"}]';
  await core.send(other.ref, { ...plain, text, caller: "cli" }, never());
  here.world.agent.release("go");
  await until("the first is over", () => here.view().status === "idle");
  await macrotasks(20);
  expect(isOver).toBe(false);
  here.world.agent.release("later");
  expect((await waited).verdict).toBe("ok");
});

test("a thread that worked before it was taken over, or forked, has worked", async () => {
  const { core } = here.world.engine;
  await here.reaches(await here.send("hello"), "done");
  const draft = { name: "fork", last_turn: null, flags: {}, requests: null, key: null, created_by: "cli" };
  const fork = await core.fork(here.ref, draft);
  const { id } = here.view();
  await core.forget(here.ref);
  const taken = await core.attach(id!, "cli");
  await core.take(taken);
  for (const ref of [fork, taken]) {
    expect((await wait({ targets: [ref] })).verdict).toBe("ok");
    expect(core.view(ref)).toMatchObject({
      latest_turn: { status: "completed", origin: "other" },
      last_message: { text: "ok: hello" },
    });
  }
});

test("the end of a turn cut by a Codex that does not come back is not known, and the wait reports that", async () => {
  await busy();
  here.world.agent.kill();
  expect((await refusal(wait())).code).toBe("agent_down");
});

test("a wait for the caller's own running turn is refused", async () => {
  await busy();
  const callerThread = here.ref;
  expect((await refusal(wait({ callerThread }))).code).toBe("conflict");
  expect((await refusal(wait({ callerThread, any: true }))).code).toBe("conflict");
  const looking = wait({ callerThread, condition: "attention", timeoutMs: 1000 });
  await here.clock.advance(1000);
  expect((await looking).verdict).toBe("timeout");
  await here.world.engine.core.stop(here.ref, 1000);
  expect((await wait({ callerThread })).verdict).toBe("turn_failed");
});

test("a wait that is given up ends with the reason, and not as if its time had run out", async () => {
  await busy();
  const abort = new AbortController();
  const waited = wait({ signal: abort.signal });
  abort.abort(new DispatchError("daemon_down", "the daemon is stopping"));
  expect((await refusal(waited)).code).toBe("daemon_down");
});

test("idle is what Codex confirms: a turn that was not heard of is waited for", async () => {
  const { agent } = here.world;
  await here.reaches(await here.send("hello"), "done");
  agent.swallow("thread_status");
  agent.swallow("turn_started");
  agent.intrude(here.view().id!);
  await macrotasks(20);
  expect(here.view().latest_turn?.status).toBe("completed");
  let isOver = false;
  const waited = wait({ condition: "idle" }).then(({ verdict }) => {
    isOver = true;
    return verdict;
  });
  await macrotasks(30);
  await here.clock.advance(limits.loop.waitLookEveryMs * 3);
  expect(isOver).toBe(false);
  agent.release("theirs");
  await macrotasks(30);
  await here.clock.advance(limits.loop.waitLookEveryMs * 2);
  expect(await waited).toBe("ok");
});

test("a text that is on its way is waited for, though no turn of it is seen yet", async () => {
  await here.reaches(await here.send("hello"), "done");
  const tell = here.world.agent.withhold("startTurn");
  here.world.agent.loseNextTurn();
  const sending = here.send("lost");
  await until("it is claimed", () => here.world.store.messages.inFlight(here.ref) !== undefined);
  let isOver = false;
  const waited = wait({ condition: "done", timeoutMs: limits.loop.waitLookEveryMs * 3 }).finally(() => {
    isOver = true;
  });
  await macrotasks(30);
  expect(isOver).toBe(false);
  await here.clock.advance(limits.loop.waitLookEveryMs * 3);
  expect((await waited).verdict).toBe("timeout");
  tell();
  await here.clock.advance(limits.message.sendAnswerMs);
  await sending;
});

test("what waits to be tried again is waited for, though nothing runs meanwhile", async () => {
  await here.reaches(await here.send("hello"), "done");
  here.world.agent.refuseNext("startTurn", "overloaded");
  const queued = await here.send("later", { mode: "queue" });
  await until("it was refused", () => here.view().queue.reason !== null);
  expect(here.view().status).toBe("idle");
  const waited = wait({ timeoutMs: limits.codex.backoffFirstMs / 2 });
  await macrotasks(30);
  await here.clock.advance(limits.codex.backoffFirstMs / 2);
  expect((await waited).verdict).toBe("timeout");
  await here.clock.advance(limits.codex.backoffFirstMs);
  await here.reaches(queued, "done");
});
