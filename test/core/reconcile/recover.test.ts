/** What a dead child may have taken, and when it is sent again: only behind two fences, and only what is not there. */
import { beforeEach, describe, expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import type { Receipt } from "../../../src/contract/receipt.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, type Rig, rig } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
});

const thread = () => here.world.agent.threads.get(here.view().id!)!;
const receiptOf = ({ receipt }: Receipt) => here.world.engine.core.receipt(receipt);

/** Sent, and not shown when its child died. */
async function lost(text = "once"): Promise<Receipt> {
  here.world.agent.loseNextTurn();
  const receipt = await here.send(text);
  expect(receipt.state).toBe("sent");
  here.world.agent.kill();
  return receipt;
}

async function passes(count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    await here.clock.advance(limits.loop.everyMs);
    await macrotasks(30);
  }
}

test("a text that is not in the history goes again, once another child has the thread open", async () => {
  const receipt = await lost();
  here.world.agent.up();
  await here.reaches(receipt, "done");
  expect(here.world.agent.asked).toEqual(["once"]);
  expect(receiptOf(receipt).attempt).toBe(2);
});

test("no text goes again while another process has the thread open, and what that one wrote counts", async () => {
  const { agent } = here.world;
  const receipt = await lost();
  thread().isHeldElsewhere = true;
  agent.up();
  await passes(4);
  expect(here.state(receipt)).toBe("sent");
  agent.writeElsewhere(thread().id, "once", receipt.receipt);
  thread().isHeldElsewhere = false;
  await passes(8);
  await here.reaches(receipt, "done");
  expect(receiptOf(receipt).attempt).toBe(1);
  expect(agent.asked).toEqual([]);
});

test("no text goes again while a process of the old child may live", async () => {
  const { agent, store } = here.world;
  const receipt = await lost();
  const { isEnded } = store.epochs;
  store.epochs.isEnded = () => false;
  agent.up();
  await passes(4);
  expect(here.state(receipt)).toBe("sent");
  expect(agent.asked).toEqual([]);
  store.epochs.isEnded = isEnded;
  await passes(2);
  await here.reaches(receipt, "done");
});

describe("a text whose history cannot be searched is unsure, and held", () => {
  beforeEach(async () => {
    await here.reaches(await here.send("hello"), "done");
  });

  test("where the turn that it should follow is gone", async () => {
    const receipt = await lost();
    thread().turns.length = 0;
    here.world.agent.up();
    await here.reaches(receipt, "unsure");
    expect(here.view().queue.reason).toBe("unsure");
    expect(here.world.agent.asked).toEqual(["hello"]);
  });

  test("where the history was rewritten meanwhile", async () => {
    const receipt = await lost();
    thread().path = "/sessions/rewritten.jsonl";
    here.world.agent.up();
    await here.reaches(receipt, "unsure");
    expect(here.world.agent.asked).toEqual(["hello"]);
  });

  test("and stays so with every child that follows, until a person says what became of it", async () => {
    const receipt = await lost();
    thread().turns.length = 0;
    here.world.agent.up();
    await here.reaches(receipt, "unsure");
    for (let child = 0; child < 3; child++) {
      here.world.agent.kill();
      here.world.agent.up();
      await passes(2);
    }
    expect(here.state(receipt)).toBe("unsure");
    const kinds = here.kinds();
    expect(kinds.filter((kind) => kind === "message.unsure")).toHaveLength(1);
    // Nothing is left to be read.
    expect(kinds.lastIndexOf("reconciled")).toBeGreaterThan(kinds.lastIndexOf("gap"));
  });
});

test("a steer that died with its turn fails, and goes into no other", async () => {
  const { agent } = here.world;
  await here.reaches(await here.send('[{"wait":"go"}]'), "delivered");
  agent.beforeNext("steerTurn", () => agent.kill());
  const steer = await here.send("this way", { mode: "steer" });
  await until("the kill", () => agent.status().state !== "running");
  agent.up();
  await here.reaches(steer, "failed");
  expect(receiptOf(steer).error?.message).toContain("not taken");
  expect(agent.asked).not.toContain("this way");
});

test("a text that a hook refused is refused once, though the child died before that was read", async () => {
  const { agent } = here.world;
  agent.beforeNext("listTurns", () => agent.kill());
  const receipt = await here.send('[{"refuse":"not this"}]', { mode: "queue" });
  await until("the kill", () => agent.status().state !== "running");
  expect(here.view().latest_turn?.status).toBe("completed");
  agent.up();
  await here.reaches(receipt, "failed");
  expect(receiptOf(receipt)).toMatchObject({ attempt: 1, error: { code: "agent" } });
});

test("a turn that was lost with its text cut no work, so it holds nothing", async () => {
  const { agent } = here.world;
  agent.loseNextText();
  const receipt = await here.send("once");
  await until("it runs", () => here.view().latest_turn?.status === "in_progress");
  agent.kill();
  agent.up();
  await here.reaches(receipt, "done");
  expect(here.kinds()).not.toContain("queue.held");
  expect(agent.asked).toEqual(["once"]);
});

test("a thread whose history is gone says so, and a text that may have been taken is unsure", async () => {
  const { agent, store } = here.world;
  const receipt = await lost();
  agent.threads.clear();
  agent.up();
  await here.reaches(receipt, "unsure");
  expect(here.view().status).toBe("gone");
  expect(store.lanes.get(here.ref)!.gone_at).not.toBeNull();
  expect(agent.asked).toEqual([]);
});
