/** A call that loads a thread may take minutes: it is made once, its late answer is used or undone, and nothing else waits. */
import { describe, expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { limits } from "../../../src/base/limits.ts";
import { plain } from "../../../src/core/delivery/accept.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import type { NewThread } from "../../../src/core/threads/create.ts";
import { handClock } from "../../support/codex-clock.ts";
import { until } from "../../support/codex-sink.ts";
import { type TestWorld, testWorld } from "../../world/world.ts";
import { macrotasks, never, refusal, rig } from "../rig.ts";

function begun(): TestWorld & { time: ReturnType<typeof handClock> } {
  const time = handClock();
  const world = testWorld({ clock: time });
  world.engine.begin();
  world.agent.up();
  return Object.assign(world, { time });
}

const draft = (over: Partial<NewThread> = {}): NewThread => ({
  name: "docs",
  text: "hello",
  goal: null,
  settings: { cwd: "/repo" },
  key: null,
  created_by: "cli",
  ...over,
});

const copy = { name: "copy", last_turn: null, flags: {}, requests: null, key: null, created_by: "cli" };

/** A new thread that Codex has not answered for when its caller gives up. */
async function slow() {
  const world = begun();
  const answer = world.agent.withhold("startThread");
  const creating = world.engine.core.create(draft(), never());
  await until("the thread is made", () => world.agent.threads.size === 1);
  await world.time.advance(limits.thread.openWaitMs);
  await world.time.advance(limits.message.sendAnswerMs);
  const { ref, receipt } = await creating;
  return { world, answer, ref, receipt: receipt!.receipt, core: world.engine.core };
}

describe("a start that Codex answers late", () => {
  test("within the patience of its caller is simply waited for", async () => {
    const world = begun();
    const answer = world.agent.withhold("startThread");
    const creating = world.engine.core.create(draft({ text: null }), never());
    await until("the thread is made", () => world.agent.threads.size === 1);
    await world.time.advance(limits.thread.openWaitMs - 1);
    answer();
    const { ref } = await creating;
    expect(world.engine.core.view(ref).setup).toBeNull();
    expect(world.agent.threads.size).toBe(1);
  });

  test("is made once, says why it waits, and is used as soon as it is answered", async () => {
    const { world, answer, ref, receipt, core } = await slow();
    expect(core.view(ref).setup).not.toBeNull();
    await world.time.advance(5 * limits.codex.backoffMaxMs);
    expect(core.view(ref).queue.reason).toStartWith(`Codex has been opening thread ${ref} since `);
    answer();
    await until("the text is delivered", () => core.receipt(receipt).state === "done");
    expect(world.agent.threads.size).toBe(1);
    expect(world.agent.asked).toEqual(["hello"]);
    expect(core.view(ref).queue.reason).toBeNull();
  });

  test("is unloaded when the thread was forgotten meanwhile", async () => {
    const { world, answer, ref, core } = await slow();
    await core.forget(ref);
    answer();
    await until("it is unloaded", () => [...world.agent.threads.values()].every((one) => !one.isLoaded));
  });

  test("and then refused is reported as a block, and tried again", async () => {
    const { world, answer, ref, receipt, core } = await slow();
    // Refused by our own side: not what was asked for.
    const thread = [...world.agent.threads.values()][0]!;
    world.agent.kill();
    answer();
    world.agent.up();
    await until("it is made again", () => {
      void world.time.advance(limits.loop.everyMs);
      return core.receipt(receipt).state === "done";
    });
    expect(world.agent.threads.has(thread.id)).toBe(false);
    expect(world.agent.threads.size).toBe(1);
    expect(core.view(ref).setup).toBeNull();
  });
});

test("an opening that never ends blocks its thread, and the thread goes on when it ends after all", async () => {
  const { world, answer, ref, receipt, core } = await slow();
  const waiting = core.wait({
    targets: [ref],
    self: null,
    condition: "attention",
    any: false,
    timeoutMs: null,
    signal: never(),
  });
  await world.time.advance(limits.thread.openingMs - limits.thread.openWaitMs - limits.message.sendAnswerMs);
  expect(core.view(ref).blocked).toBeNull();
  for (let rounds = 0; rounds < 60; rounds++) await world.time.advance(limits.loop.everyMs);
  expect(core.view(ref).blocked).toMatchObject({
    reason: expect.stringContaining("Codex has been opening"),
    hint: expect.stringContaining("dispatch up"),
  });
  expect(await waiting).toMatchObject({ verdict: "ok" });
  answer();
  await until("it is delivered", () => {
    void world.time.advance(limits.loop.everyMs);
    return core.receipt(receipt).state === "done";
  });
  expect(core.view(ref).blocked).toBeNull();
});

test("a send to a thread that Codex opens slowly is refused as not sent, and nothing is stored", async () => {
  const here = await rig();
  here.world.agent.kill();
  here.world.agent.up();
  const answer = here.world.agent.withhold("resumeThread");
  const sending = refusal(here.send("hello"));
  await macrotasks(20);
  await here.clock.advance(limits.thread.openWaitMs);
  expect((await sending).body).toMatchObject({ code: "timeout", data: { outcome: "not_sent" } });
  // At once, since it is known to be under way.
  expect((await refusal(here.send("hello"))).code).toBe("timeout");
  expect(here.world.engine.core.receipts({ ref: here.ref, states: null, limit: 10 })).toEqual([]);
  answer();
  await macrotasks(20);
  const sent = await here.send("hello");
  await here.reaches(sent, "done");
});

test("a send that Codex dies under before anything was accepted says so", async () => {
  const here = await rig();
  here.world.agent.kill();
  here.world.agent.up();
  here.world.agent.withhold("resumeThread");
  const sending = refusal(here.send("hello"));
  await macrotasks(20);
  here.world.agent.kill();
  expect((await sending).body).toMatchObject({ code: "agent_down", data: { outcome: "not_sent" } });
});

test("one thread that is opened slowly does not keep the others from being settled", async () => {
  const here = await rig();
  const { agent, engine } = here.world;
  const other = await engine.core.create(draft({ name: "other", text: null }), never());
  const sent: string[] = [];
  for (const ref of [here.ref, other.ref]) {
    agent.loseNextText();
    sent.push((await engine.core.send(ref, { ...plain, text: "hello" }, never())).receipt);
  }
  agent.kill();
  const answer = agent.withhold("resumeThread", 1);
  agent.up();
  const states = () => sent.map((id) => engine.core.receipt(id).state);
  // Both are opened before they are sent again; only one of them at once.
  for (let passed = 0; passed < 4 * limits.loop.everyMs; passed += 1000) {
    await here.clock.advance(1000);
    await macrotasks(20);
  }
  expect(states().toSorted()).toEqual(["done", "sent"]);
  answer();
  await until("both are delivered", () => states().every((state) => state === "done"));
  expect(agent.asked).toEqual(["hello", "hello"]);
});

describe("a fork", () => {
  const forks = ({ agent }: TestWorld) => [...agent.threads.values()].filter(({ mark }) => mark !== null);

  async function source() {
    const here = await rig();
    await here.reaches(await here.send("hello"), "done");
    return { ...here, core: here.world.engine.core, agent: here.world.agent };
  }

  test("that Codex answers late is there at once, and gets its thread when it is answered", async () => {
    const { world, core, agent, clock, ref } = await source();
    const answer = agent.withhold("forkThread");
    const forking = core.fork(ref, copy);
    await until("it is made", () => forks(world).length === 1);
    await clock.advance(limits.thread.openWaitMs);
    const fork = await forking;
    expect(core.view(fork)).toMatchObject({ id: null });
    await clock.advance(3 * limits.codex.backoffMaxMs);
    answer();
    await until("it is ready", () => core.view(fork).setup === null);
    expect(forks(world).map(({ id, name }) => [id, name])).toEqual([[core.view(fork).id!, "copy"]]);
    expect(core.view(fork).latest_turn?.status).toBe("completed");
  });

  test("whose answer dies with Codex is found by its mark", async () => {
    const { world, core, agent, ref } = await source();
    agent.withhold("forkThread");
    const forking = core.fork(ref, copy);
    await until("it is made", () => forks(world).length === 1);
    agent.kill();
    agent.up();
    const fork = await forking;
    expect(core.view(fork)).toMatchObject({ setup: null, title: "copy" });
    expect(forks(world).map(({ id, name }) => [id, name])).toEqual([[core.view(fork).id!, "copy"]]);
  });

  test("whose answer dies with the daemon is found by the next one", async () => {
    const { world, core, agent, ref } = await source();
    agent.withhold("forkThread");
    void core.fork(ref, copy);
    await until("it is made", () => forks(world).length === 1);
    world.abandon();
    const clock = handClock();
    const next = testWorld({ clock, store: world.store, threads: agent.threads });
    next.engine.begin();
    next.agent.up();
    await clock.advance(2 * limits.loop.everyMs);
    const lanes = () => next.engine.core.list({ archived: false, limit: 10 });
    await until("it is ready", () => lanes().every(({ setup }) => setup === null));
    expect(
      lanes()
        .map(({ title }) => title)
        .toSorted(),
    ).toEqual(["copy", "docs"]);
    expect(forks(next).map(({ id }) => id)).toEqual(
      lanes().flatMap(({ title, id }) => (title === "copy" ? [id!] : [])),
    );
  });

  test("that a Codex which died had not made leaves nothing, and its key is free", async () => {
    const { world, core, agent, clock, ref } = await source();
    agent.beforeNext("forkThread", () => agent.kill());
    const forking = refusal(core.fork(ref, { ...copy, key: "k" }));
    await until("the kill", () => agent.status().state !== "running");
    agent.up();
    expect((await forking).body).toMatchObject({ code: "agent_down", data: { outcome: "not_sent" } });
    await clock.advance(2 * limits.loop.everyMs);
    expect(core.list({ archived: false, limit: 10 }).map(({ title }) => title)).toEqual(["docs"]);
    const fork = await core.fork(ref, { ...copy, key: "k" });
    expect(forks(world).map(({ id }) => id)).toEqual([core.view(fork).id!]);
  });

  /** One that Codex answers with `late` after its caller gave up. */
  async function answeredLate(late: DispatchError) {
    const here = await source();
    const gate = Promise.withResolvers<never>();
    here.agent.forkThread = () => gate.promise;
    const forking = here.core.fork(here.ref, { ...copy, key: "k" });
    await macrotasks(20);
    await here.clock.advance(limits.thread.openWaitMs);
    const fork = await forking;
    expect(here.core.view(fork)).toMatchObject({ id: null });
    gate.reject(late);
    await macrotasks(50);
    await here.clock.advance(limits.loop.everyMs);
    await macrotasks(50);
    const events = () => here.core.events({}, null, 1000).events.filter(({ thread }) => thread === fork);
    const titles = () => here.core.list({ archived: false, limit: 10 }).map(({ title }) => title);
    return { ...here, fork, events, titles };
  }

  test("that Codex refuses late is withdrawn with the words of Codex, and was never blocked", async () => {
    const words = "codex refused thread/fork: no room";
    const { titles, events, world } = await answeredLate(
      new DispatchError("agent", words, { data: { reason: "other", words: "no room" } }),
    );
    expect(titles()).toEqual(["docs"]);
    expect(events().map(({ kind }) => kind)).toEqual(["thread.forked", "thread.forgotten"]);
    expect(events().at(-1)!.data).toEqual({ why: words });
    expect([...world.live.blocked.keys()]).toEqual([]);
  });

  test("that Codex never answers is kept while that Codex lives, and withdrawn when it is gone", async () => {
    const unanswered = new DispatchError("timeout", "no answer", { data: { outcome: "unknown" } });
    const { titles, events, core, fork, agent, clock } = await answeredLate(unanswered);
    expect(titles().toSorted()).toEqual(["copy", "docs"]);
    expect(core.view(fork).queue.reason).toContain("Codex has not answered");
    agent.kill();
    agent.up();
    for (let at = 0; at < 12; at++) await clock.advance(limits.loop.everyMs);
    await until("it is withdrawn", () => titles().length === 1);
    expect(events().at(-1)!.data).toEqual({ why: expect.stringContaining("Codex ended before it made") });
  });

  describe("among more threads of its day than are looked through", () => {
    async function lost() {
      const here = await source();
      const { agent, clock } = here;
      const { threadsOfDay, readThread } = agent;
      const read: string[] = [];
      agent.readThread = (id) => {
        read.push(id);
        return readThread(id);
      };
      const idAt = (at: number, n: number) => {
        const hex = at.toString(16).padStart(12, "0");
        return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${String(n).padStart(12, "0")}`;
      };
      /** Made elsewhere, so long after the fork was asked for. */
      const crowd = (laterMs: number) => {
        const asked = clock.now();
        agent.threadsOfDay = async (at) => [
          ...Array.from({ length: limits.wire.forkCandidatesMax }, (_, n) => idAt(asked + laterMs, n)),
          ...(await threadsOfDay(at)),
        ];
      };
      return { ...here, crowd, read };
    }

    test("is found, as those of its own moment are read first", async () => {
      const { world, core, agent, crowd, read, ref } = await lost();
      crowd(-3 * 365 * limits.timer.dayMs);
      agent.loseNextAnswer("forkThread");
      const fork = await core.fork(ref, copy);
      expect(core.view(fork).id).toBe(forks(world)[0]!.id);
      expect(read.length).toBeLessThan(10);
    });

    test("is kept, and says that it was not found, rather than that it was not made", async () => {
      const { core, agent, crowd, clock, read, ref } = await lost();
      crowd(0);
      agent.loseNextAnswer("forkThread");
      const forking = refusal(core.fork(ref, { ...copy, key: "k" }));
      expect((await forking).body).toMatchObject({ data: { outcome: "unknown" } });
      expect(read.length).toBeLessThanOrEqual(limits.wire.forkCandidatesMax + 5);
      for (let at = 0; at < 4; at++) await clock.advance(limits.loop.everyMs);
      const fork = core.list({ archived: false, limit: 10 }).find(({ title }) => title === "copy")!;
      expect(core.view(fork.ref as Ref)).toMatchObject({
        status: "blocked",
        blocked: { reason: expect.stringContaining("was not found among") },
      });
    });
  });

  test("that is asked for twice at once with one key is made once", async () => {
    const { world, core, ref } = await source();
    const both = [core.fork(ref, { ...copy, key: "k" }), core.fork(ref, { ...copy, key: "k" })];
    const [first, second] = await Promise.all(both);
    expect(second).toBe(first!);
    expect(forks(world)).toHaveLength(1);
  });

  test("that cannot be stored is deleted again", async () => {
    const { world, core, agent, ref } = await source();
    agent.configure({
      writable_roots: ["/home/user/.dispatch"],
      network_access: false,
      exclude_slash_tmp: false,
      exclude_tmpdir: false,
    });
    const flags = { sandbox: "workspace-write" } as const;
    expect((await refusal(core.fork(ref, { ...copy, flags }))).code).toBe("denied");
    expect(forks(world)).toEqual([]);
    expect(core.list({ archived: false, limit: 10 }).map(({ title }) => title)).toEqual(["docs"]);
  });
});
