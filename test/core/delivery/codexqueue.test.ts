/** Messages for a thread that another app writes: through Codex's own queue, when the user allows it. */
import { beforeEach, expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import { type Draft, plain } from "../../../src/core/delivery/accept.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import type { TurnFacts } from "../../../src/core/model/ports/thread.ts";
import { macrotasks, never, type Rig, refusal, rig } from "../rig.ts";

let here: Rig;
let theirs: ReturnType<Rig["world"]["agent"]["threads"]["get"]> & {};
let ref: Ref;

beforeEach(async () => {
  here = await rig({ policy: { attachedQueue: true } });
  const id = here.world.agent.madeElsewhere("theirs", "hello");
  theirs = here.world.agent.threads.get(id)!;
  theirs.isHeldElsewhere = true;
  ref = await here.world.engine.core.attach(id, "cli");
});

const queue = (text: string, over: Partial<Draft> = {}) =>
  here.world.engine.core.send(ref, { ...plain, mode: "queue", text, ...over }, never());

/** The app that has it open takes what is next; to dispatch a turn of another process reads as interrupted. */
function taken(): TurnFacts {
  const { id, text } = theirs.nativeQueue.shift()!;
  const said = { ...theirs.turns[0]!.items[0]!, type: "user_message" as const, text, client_id: id };
  const turn: TurnFacts = {
    id: `01a20000-0000-7000-9000-${String(theirs.turns.length).padStart(12, "0")}`,
    status: "interrupted",
    error: null,
    started_at: here.clock.now(),
    completed_at: null,
    items: [said],
  };
  theirs.turns.push(turn);
  return turn;
}

async function looked(): Promise<void> {
  await here.clock.advance(limits.loop.everyMs);
  await macrotasks(60);
}

test("it waits in Codex's queue, one at a time, and is delivered when history shows it and done when its turn is over", async () => {
  const first = await queue("one");
  const second = await queue("two");
  await here.reaches(first, "sent");
  expect(first.caveat).toContain("cannot be cancelled");
  expect(theirs.nativeQueue.map((one) => one.text)).toEqual(["one"]);
  await looked();
  expect(here.state(first)).toBe("sent");

  const turn = taken();
  await looked();
  await here.reaches(first, "delivered");
  await here.reaches(second, "sent");
  expect(theirs.nativeQueue.map((one) => one.text)).toEqual(["two"]);
  Object.assign(turn, { status: "completed", completed_at: here.clock.now() });
  await looked();
  await here.reaches(first, "done");
  expect(here.world.engine.core.receipt(first.receipt)).toMatchObject({
    outcome: "completed",
    turn_id: turn.id,
  });
  expect(theirs.isLoaded).toBe(false);
});

test("its turn, cut short by the other app, is over when there is a later turn", async () => {
  const receipt = await queue("one");
  await here.reaches(receipt, "sent");
  taken();
  await looked();
  await here.reaches(receipt, "delivered");
  await looked();
  expect(here.state(receipt)).toBe("delivered");
  theirs.nativeQueue.push({ id: "another", text: "theirs" });
  taken();
  await looked();
  await here.reaches(receipt, "done");
  expect(here.world.engine.core.receipt(receipt.receipt).outcome).toBe("interrupted");
});

test("what Codex took out and never showed becomes unsure, and is not sent again", async () => {
  const receipt = await queue("one");
  await here.reaches(receipt, "sent");
  theirs.nativeQueue.shift();
  await looked();
  expect(here.state(receipt)).toBe("sent");
  for (let ms = 0; ms <= limits.message.proofTimeoutMs; ms += limits.loop.everyMs) await looked();
  await here.reaches(receipt, "unsure");
  await looked();
  expect(theirs.nativeQueue).toEqual([]);
});

test("an answer that never came is no loss: the queue is looked into", async () => {
  here.world.agent.loseNextAnswer("queueText");
  const receipt = await queue("one");
  await here.reaches(receipt, "claimed");
  await looked();
  await here.reaches(receipt, "sent");
  expect(theirs.nativeQueue).toHaveLength(1);
});

test("a Codex of ours that dies takes nothing with it", async () => {
  const receipt = await queue("one");
  await here.reaches(receipt, "sent");
  here.world.agent.kill();
  here.world.agent.up();
  await looked();
  await looked();
  expect(here.state(receipt)).toBe("sent");
  expect(theirs.nativeQueue).toHaveLength(1);
  expect(theirs.isLoaded).toBe(false);
});

test("only a queued text goes that way, with no settings of its own, and only where the user allows it", async () => {
  for (const mode of ["send", "steer", "context", "interject"] as const)
    expect((await refusal(queue("one", { mode }))).code).toBe("authority");
  expect((await refusal(queue("one", { overrides: { model: "gpt-5.5" } }))).code).toBe("usage");
  here = await rig();
  const id = here.world.agent.madeElsewhere("theirs", "hello");
  ref = await here.world.engine.core.attach(id, "cli");
  const refused = await refusal(queue("one"));
  expect(refused.code).toBe("authority");
  expect(refused.hint).toContain("attached_queue = true");
});

test("a thread whose text waits in Codex's queue is not forgotten, and the refusal names that text", async () => {
  const sent = await queue("one");
  await here.reaches(sent, "sent");
  const refused = await refusal(here.world.engine.core.forget(ref));
  expect(refused).toMatchObject({
    code: "thread_busy",
    message: `a text to ${ref} waits in Codex's own queue and is not settled`,
  });
  expect(refused.hint).toContain(`dispatch receipt get ${sent.receipt}`);
});
