/** What a resume is not believed. */
import { beforeEach, describe, expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import type { Receipt } from "../../../src/contract/receipt.ts";
import { macrotasks, type Rig, refusal, rig } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
  await here.reaches(await here.send("hello"), "done");
  here.clock.jump(limits.thread.statusFreshMs * 4);
  here.world.agent.kill();
  here.world.agent.up();
});

test("a turn that the resume itself started is not steered, although the resume answered that nothing runs", async () => {
  const { agent } = here.world;
  const { resumeThread } = agent;
  agent.resumeThread = async (id, settings) => {
    const opened = await resumeThread(id, settings);
    agent.swallow("thread_status");
    agent.swallow("turn_started");
    agent.intrude(id);
    return opened;
  };
  expect((await refusal(here.send("now"))).code).toBe("thread_busy");
  expect(agent.asked).not.toContain("now");
});

test("a thread that another provider would work on after a crash takes nothing, and says which", async () => {
  const { agent } = here.world;
  const { resumeThread } = agent;
  agent.resumeThread = async (id, settings) => {
    const opened = await resumeThread(id, settings);
    return { ...opened, effective: { ...opened.effective, model_provider: "another" } };
  };
  const refused = await refusal(here.send("now"));
  expect(refused).toMatchObject({
    code: "conflict",
    message: expect.stringContaining("model_provider: mock -> another"),
  });
  expect(here.view().queue.reason).toBe("settings_differ");
  expect(agent.asked).toEqual(["hello"]);
});

describe("a text that Codex has and a registry that was copied back calls queued", () => {
  /** Two texts wait. Codex worked on the first, unseen, and its child is another one now. */
  async function copiedBack(second: "queue" | "context" = "queue"): Promise<[had: Receipt, other: Receipt]> {
    const { agent, engine } = here.world;
    engine.core.hold(here.ref);
    const had = await here.send("only once", { mode: "queue" });
    if (second === "context") agent.refuseNext("injectText", "overloaded");
    const other = await here.send("not yet", { mode: second });
    agent.writeElsewhere(here.view().id!, "only once", had.receipt);
    agent.kill();
    agent.up();
    return [had, other];
  }

  async function isSentOnce([had, other]: [Receipt, Receipt]): Promise<void> {
    here.world.engine.core.release(here.ref);
    for (let at = 0; at < 20; at++) {
      await here.clock.advance(limits.loop.everyMs);
      await macrotasks(20);
    }
    expect(here.world.agent.asked.filter((text) => text === "only once")).toEqual([]);
    expect(here.state(had)).toBe("done");
    await here.reaches(other, "done");
  }

  test("is looked for again after a read that failed", async () => {
    const texts = await copiedBack();
    here.world.agent.refuseNext("listTurns", "overloaded");
    await isSentOnce(texts);
  });

  test("is found though a turn that the resume began is known already", async () => {
    const texts = await copiedBack();
    const { agent } = here.world;
    const { resumeThread } = agent;
    agent.resumeThread = async (id, settings) => {
      const opened = await resumeThread(id, settings);
      agent.intrude(id);
      await macrotasks(5);
      agent.release("theirs");
      await macrotasks(5);
      return opened;
    };
    await isSentOnce(texts);
  });

  test("is found with all that is found, or not at all", async () => {
    const [had, other] = await copiedBack("context");
    const { agent } = here.world;
    const [thread] = agent.threads.values();
    thread!.injected.push(other.receipt);
    const { hasInjected } = agent;
    let reads = 0;
    agent.hasInjected = (path, id) =>
      reads++ === 0 ? Promise.reject(new Error("EIO")) : hasInjected(path, id);
    await isSentOnce([had, other]);
    expect(thread!.injected).toEqual([other.receipt]);
  });
});

test("a thread whose newest turn could not be read after its resume is resumed again", async () => {
  const { agent } = here.world;
  const { listTurns, resumeThread } = agent;
  let resumes = 0;
  agent.resumeThread = (id, settings) => {
    resumes++;
    return resumeThread(id, settings);
  };
  agent.listTurns = (id, page) => {
    if (resumes !== 1) return listTurns(id, page);
    agent.refuseNext("listTurns", "overloaded");
    return listTurns(id, page);
  };
  expect((await refusal(here.send("now"))).code).toBe("agent");
  expect(here.world.live.get(here.view().id)).toBeUndefined();
  await here.reaches(await here.send("now"), "done");
  expect(resumes).toBe(2);
});

test("a thread whose history Codex cannot read is resumed all the same, and is not blocked", async () => {
  const { agent } = here.world;
  const { listTurns } = agent;
  let refused = 0;
  agent.listTurns = (id, page) => {
    refused++;
    if (refused <= 2) agent.refuseNext("listTurns", "no_history");
    return listTurns(id, page);
  };
  here.world.live.drop(here.view().id!);
  await here.reaches(await here.send("now", { mode: "queue" }), "done");
  expect(refused).toBeGreaterThan(1);
  expect(here.view().blocked).toBeNull();
});
