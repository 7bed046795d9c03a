/** What keeps a text from being accepted: asked when it comes, and again once nothing else can come in between. */
import { beforeEach, describe, expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, type Rig, refusal, rig } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
  await here.reaches(await here.send("hello"), "done");
});

const stored = () => here.world.store.messages.list({ limit: 10 }).length;

describe("a plain send", () => {
  test("does not overtake what was queued while it was proven that nothing runs", async () => {
    here.clock.jump(limits.thread.statusFreshMs + 1);
    here.world.agent.beforeNext("readThread", () => void here.send("queued", { mode: "queue" }));
    expect((await refusal(here.send("now"))).code).toBe("thread_busy");
    await until("the queued one", () => here.world.agent.asked.includes("queued"));
    expect(here.world.agent.asked).toEqual(["hello", "queued"]);
  });

  test("is refused during a turn that no event reported", async () => {
    const { agent } = here.world;
    agent.swallow("thread_status");
    agent.swallow("turn_started");
    agent.intrude(here.view().id!);
    await macrotasks(20);
    expect(here.view().latest_turn?.status).toBe("completed");
    here.clock.jump(limits.thread.statusFreshMs + 1);
    expect((await refusal(here.send("now"))).code).toBe("thread_busy");
    expect(stored()).toBe(1);
    expect(agent.asked).not.toContain("now");
  });

  test("does not overtake a text that is in flight", async () => {
    here.world.agent.loseNextTurn();
    expect((await here.send("one")).state).toBe("sent");
    const error = await refusal(here.send("two"));
    expect(error).toMatchObject({ code: "thread_busy", message: expect.stringContaining("in flight") });
    expect(stored()).toBe(2);
  });

  test("does not overtake what waits to be tried again", async () => {
    here.world.agent.refuseNext("startTurn", "overloaded");
    const queued = await here.send("one", { mode: "queue" });
    await until("it was refused", () => here.view().queue.reason !== null);
    const error = await refusal(here.send("two"));
    expect(error).toMatchObject({ code: "thread_busy", message: expect.stringContaining("has 1 waiting") });
    await here.clock.advance(limits.codex.backoffFirstMs + limits.timer.slackMs);
    await here.reaches(queued, "done");
  });

  test("does not open a thread that was given away while it waited", async () => {
    const { agent } = here.world;
    const { unsubscribe, resumeThread } = agent;
    const gate = Promise.withResolvers<void>();
    let resumes = 0;
    agent.unsubscribe = async (id) => {
      await gate.promise;
      return unsubscribe(id);
    };
    agent.resumeThread = (...given) => {
      resumes++;
      return resumeThread(...given);
    };
    const giving = here.world.engine.core.give(here.ref);
    await macrotasks(30);
    const sending = refusal(here.send("sneaked in"));
    await macrotasks(30);
    gate.resolve();
    await giving;
    expect((await sending).code).toBe("authority");
    expect(resumes).toBe(0);
  });
});

test("a queue takes as many texts as its limit, and not one more", async () => {
  const { lanes } = here.world.store;
  const { get } = lanes;
  let pending = limits.message.queuedPerThreadMax;
  lanes.get = (ref) => {
    const lane = get(ref);
    return lane && { ...lane, pending };
  };
  expect((await refusal(here.send("over", { mode: "queue" }))).code).toBe("too_large");
  expect(stored()).toBe(1);
  pending--;
  await here.send("fits", { mode: "queue" });
  expect(stored()).toBe(2);
});

test("a text is as long as Codex takes it, counted in bytes, and not empty", async () => {
  const long = "é".repeat(limits.input.textBytesMax / 2);
  expect((await refusal(here.send(`${long}.`, { mode: "queue" }))).code).toBe("too_large");
  expect((await refusal(here.send("", { mode: "queue" }))).code).toBe("usage");
  expect(stored()).toBe(1);
  await here.send(long, { mode: "queue" });
});

test("no two texts have one id: each would pass for the other in Codex's history", async () => {
  const { mint, store } = here.world;
  const [first] = store.messages.list({ limit: 1 });
  const { id } = mint;
  const minted = [first!.id, first!.id];
  mint.id = () => minted.shift() ?? id();
  const receipt = await here.send("again");
  expect(receipt.receipt).not.toBe(first!.id);
  await here.reaches(receipt, "done");
});
