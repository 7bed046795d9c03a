/** What is settled by reading, and what is left alone because reading says that it lives. */
import { beforeEach, describe, expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, never, type Rig, rig, waiting } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
});

const thread = () => here.world.agent.threads.get(here.view().id!)!;
const isOpen = () => here.world.live.get(thread().id) !== undefined;

async function passes(count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    await here.clock.advance(limits.loop.everyMs);
    await macrotasks(20);
  }
}

test("a turn that the history shows running goes on, whatever a status said", async () => {
  await here.reaches(await here.send(waiting), "delivered");
  const { agent } = here.world;
  const { readThread } = agent;
  agent.readThread = async (id) => ({ ...(await readThread(id)), status: "idle" });
  await passes(Math.ceil(limits.thread.turnSilentMs / limits.loop.everyMs) + 2);
  expect(here.kinds().filter((kind) => kind.startsWith("turn."))).toEqual(["turn.started"]);
  agent.readThread = readThread;
  agent.release("go");
  await until("it completed", () => here.view().latest_turn?.status === "completed");
});

test("a silent turn of a thread without a history is left alone while Codex says that it runs", async () => {
  const { core } = here.world.engine;
  const settings = { cwd: "/repo", ephemeral: true };
  const draft = { name: "passing", text: waiting, goal: null, settings, key: null, created_by: "cli" };
  const { ref } = await core.create(draft, never());
  await until("it runs", () => core.view(ref).status === "busy");
  await passes(Math.ceil((limits.thread.turnSilentMs * 2) / limits.loop.everyMs));
  expect(core.view(ref)).toMatchObject({ status: "busy", latest_turn: { status: "in_progress" } });
});

describe("an idle thread stays loaded", () => {
  const long = Math.ceil((limits.thread.idleUnloadMs * 2) / limits.loop.everyMs);

  test("while its goal is active: unloaded, that would stop silently", async () => {
    await here.world.engine.core.setGoal(here.ref, { objective: "ship it", status: "active" });
    await passes(long);
    expect(thread()).toMatchObject({ isLoaded: true, goal: { status: "active" } });
  });

  test("where it is ephemeral: unloaded, it would end", async () => {
    const { core } = here.world.engine;
    const settings = { cwd: "/repo", ephemeral: true };
    const draft = { name: "passing", text: null, goal: null, settings, key: null, created_by: "cli" };
    const { ref } = await core.create(draft, never());
    const id = here.world.store.lanes.get(ref)!.thread_id!;
    await passes(long);
    expect(here.world.agent.threads.get(id)?.isLoaded).toBe(true);
    expect(core.view(ref).status).toBe("idle");
  });
});

test("a text that a slow hook looks at is waited for, however long that takes", async () => {
  const receipt = await here.send('[{"hook":"go"},{"say":"after it"}]', { mode: "queue" });
  await until("its turn", () => here.view().latest_turn?.status === "in_progress");
  await passes(Math.ceil((limits.message.proofTimeoutMs * 2) / limits.loop.everyMs));
  expect(here.state(receipt)).toBe("sent");
  here.world.agent.release("go");
  await here.reaches(receipt, "done");
});

test("a gap is closed only once all that it touched was read", async () => {
  await here.reaches(await here.send(waiting), "delivered");
  here.world.agent.kill();
  const tell = here.world.agent.withhold("listTurns");
  here.world.agent.up();
  await passes(4);
  expect(here.kinds().slice(here.kinds().lastIndexOf("gap"))).not.toContain("reconciled");
  tell();
  await passes(2);
  const since = here.kinds().slice(here.kinds().lastIndexOf("gap"));
  expect(since.indexOf("reconciled")).toBeGreaterThan(since.indexOf("turn.interrupted"));
});

test("a gap is closed though a thread that ended Codex is held with what waits in it", async () => {
  const { agent, engine } = here.world;
  agent.deadly.add(thread().id);
  agent.kill();
  agent.up();
  await here.send("never", { mode: "queue" });
  for (let at = 0; at < 20; at++) {
    await passes(1);
    if (agent.status().state !== "running") agent.up();
  }
  expect(engine.core.crashers()).toHaveLength(1);
  expect(here.kinds().slice(here.kinds().lastIndexOf("gap"))).toContain("reconciled");
});

test("a running turn whose thread is not known to be open is opened, so that it is heard", async () => {
  await here.reaches(await here.send(waiting), "delivered");
  here.world.agent.tell({ kind: "thread_closed", thread_id: thread().id });
  await until("it is unknown", () => !isOpen());
  await passes(2);
  await until("it is open", isOpen);
  expect(here.view().status).toBe("busy");
});

test("a text whose turn ended without it is settled at once, and goes again", async () => {
  const { agent, engine } = here.world;
  agent.loseNextText();
  const receipt = await here.send("once", { mode: "queue" });
  await until("its turn", () => here.view().latest_turn?.status === "in_progress");
  const turn = thread().running!.turn.id;
  await agent.interruptTurn(thread().id, turn);
  await until("it is cut", () => here.view().latest_turn?.status === "interrupted");
  await until("it is back in the queue", () => here.state(receipt) === "queued");
  engine.core.release(here.ref);
  await here.reaches(receipt, "done");
  expect(agent.asked).toEqual(["once"]);
});

describe("a thread whose lock is taken for long keeps no pass from its end", () => {
  const lock = () => here.world.locked(here.ref, () => new Promise<never>(() => {})).catch(() => {});
  /** How many passes begin in a minute. */
  const begun = async (): Promise<number> => {
    const { lanes } = here.world.store;
    const { unfinished } = lanes;
    let count = 0;
    lanes.unfinished = () => {
      count++;
      return unfinished();
    };
    await passes(12);
    lanes.unfinished = unfinished;
    return count;
  };

  test("while it is to be unloaded", async () => {
    await here.reaches(await here.send("hello"), "done");
    void lock();
    await passes(Math.ceil(limits.thread.idleUnloadMs / limits.loop.everyMs) + 1);
    expect(isOpen()).toBe(true);
    expect(await begun()).toBeGreaterThan(8);
  });

  test("while its goal is to be paused, and it is paused once the lock is free", async () => {
    const { world } = here;
    const { agent } = world;
    await world.engine.core.setGoal(here.ref, { objective: "ship it", status: "active" });
    agent.kill();
    let free = () => {};
    void world.locked(here.ref, () => new Promise<void>((resolve) => (free = resolve)));
    agent.up();
    expect(await begun()).toBeGreaterThan(8);
    expect(thread().goal?.status).toBe("active");
    free();
    await passes(2);
    expect(thread().goal?.status).toBe("paused");
  });
});
