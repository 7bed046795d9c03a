/** A thread that Codex loads after the call for it was given up is left to who uses it, and undone where nobody does. */
import { beforeEach, describe, expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { limits } from "../../../src/base/limits.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, type Rig, refusal, rig } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
});

const core = () => here.world.engine.core;
const thread = (id: string) => here.world.agent.threads.get(id);
const copy = { name: "copy", last_turn: null, flags: {}, requests: null, key: null, created_by: "cli" };

/** The mark of a fork that was asked for and never answered, and whose row was forgotten. */
function unanswered(): string {
  here.world.live.unansweredForks.set("gone00.1", "gone00" as Ref);
  return "gone00.1";
}

async function late(thread_id: string, how: { mark?: string; is_durable?: boolean } = {}): Promise<void> {
  here.world.agent.tell({ kind: "thread_late", thread_id, mark: null, is_durable: false, ...how });
  await macrotasks(50);
}

/** What another app made, and a late call loaded. */
function loadedElsewhere(): string {
  const id = here.world.agent.madeElsewhere("theirs", "hello");
  thread(id)!.isLoaded = true;
  return id;
}

describe("of no thread of ours", () => {
  test("it is unloaded, and stays on the disk", async () => {
    const id = loadedElsewhere();
    await late(id);
    expect(thread(id)!.isLoaded).toBe(false);
  });

  test("a fork that no caller received is deleted too", async () => {
    const id = loadedElsewhere();
    await late(id, { mark: unanswered(), is_durable: true });
    expect(thread(id)).toBeUndefined();
  });

  test("a fork that was attached meanwhile is not deleted, and is unloaded for its app", async () => {
    const id = loadedElsewhere();
    await core().attach(id, "cli");
    await late(id, { mark: unanswered(), is_durable: true });
    expect(thread(id)).toMatchObject({ isLoaded: false });
  });

  test("a fork that is attached while it is unloaded is not deleted", async () => {
    const id = loadedElsewhere();
    const { unsubscribe } = here.world.agent;
    here.world.agent.unsubscribe = async (one) => {
      await core().attach(id, "cli");
      return unsubscribe(one);
    };
    await late(id, { mark: unanswered(), is_durable: true });
    expect(thread(id)).toBeDefined();
  });
});

test("a thread that is in use is left as it is", async () => {
  const id = here.view().id!;
  const { unsubscribe } = here.world.agent;
  const unloads: string[] = [];
  here.world.agent.unsubscribe = (one) => {
    unloads.push(one);
    return unsubscribe(one);
  };
  await late(id);
  await late(id, { is_durable: true });
  expect(unloads).toEqual([]);
  await here.reaches(await here.send("hello"), "done");
});

test("a thread of ours that is not open here is opened, so that it is unloaded when it is idle", async () => {
  const id = here.view().id!;
  here.world.agent.kill();
  here.world.agent.up();
  await macrotasks(20);
  here.world.live.drop(id);
  thread(id)!.isLoaded = true;
  await late(id);
  expect(here.world.live.get(id)).toBeDefined();
});

test("a thread that is being taken meanwhile is left to the take", async () => {
  const id = here.world.agent.madeElsewhere("theirs", "hello");
  const ref = await core().attach(id, "cli");
  const answer = here.world.agent.withhold("resumeThread", 1);
  const taking = refusal(core().take(ref));
  await until("it is resumed", () => thread(id)!.isLoaded);
  await here.clock.advance(limits.thread.openWaitMs);
  expect((await taking).code).toBe("timeout");
  await late(id);
  answer();
  await macrotasks(50);
  expect(thread(id)!.isLoaded).toBe(true);
  expect(core().view(ref).source).toBe("own");
});

test("a fork whose row waits for it becomes the thread of that row", async () => {
  await here.reaches(await here.send("hello"), "done");
  const { agent } = here.world;
  const { forkThread } = agent;
  const gate = Promise.withResolvers<never>();
  let make = async (): Promise<string> => "";
  agent.forkThread = (id, how) => {
    make = async () => (await forkThread(id, how)).thread.id;
    return gate.promise;
  };
  const forking = core().fork(here.ref, copy);
  await macrotasks(20);
  await here.clock.advance(limits.thread.openWaitMs);
  const fork: Ref = await forking;
  gate.reject(new DispatchError("timeout", "no answer", { data: { outcome: "unknown" } }));
  await here.clock.advance(limits.loop.everyMs);
  const id = await make();
  await late(id, { mark: thread(id)!.mark!, is_durable: true });
  await until("it is ready", () => core().view(fork).setup === null);
  expect(core().view(fork).id).toBe(id);
});

test("a fork that was found by its mark, and then forgotten, stays on the disk", async () => {
  await here.reaches(await here.send("hello"), "done");
  const fork = await core().fork(here.ref, copy);
  const { id } = core().view(fork);
  const { mark } = thread(id!)!;
  await core().forget(fork);
  await late(id!, { mark: mark!, is_durable: true });
  expect(thread(id!)).toMatchObject({ isLoaded: false });
});
