/** What Codex tells twice, late, or about somebody else. */
import { beforeEach, expect, test } from "bun:test";
import type { ItemFacts } from "../../../src/core/model/ports/thread.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, never, type Rig, rig, waiting } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
});

const thread = () => here.world.agent.threads.get(here.view().id!)!;
const count = (kind: string) => here.kinds().filter((one) => one === kind).length;
const said = (client_id: string): ItemFacts => ({
  id: "again",
  type: "user_message",
  text: "hello",
  command: null,
  exit_code: null,
  arguments: null,
  path: null,
  changes: null,
  status: null,
  client_id,
  at: null,
});

test("a text is delivered once, however often its item is reported", async () => {
  const receipt = await here.send("hello");
  await here.reaches(receipt, "done");
  const turn_id = here.view().latest_turn!.id;
  here.world.agent.tell({
    kind: "item_completed",
    thread_id: thread().id,
    turn_id,
    item: said(receipt.receipt),
  });
  await until("it is told", () => count("item.completed") === 3);
  expect(count("message.delivered")).toBe(1);
  expect(count("message.done")).toBe(1);
  expect(here.state(receipt)).toBe("done");
});

test("a text is delivered in its own thread only", async () => {
  const { agent, engine } = here.world;
  const settings = { cwd: "/repo" };
  const draft = { name: "other", text: "theirs", goal: null, settings, key: null, created_by: "cli" };
  const { ref } = await engine.core.create(draft, never());
  await until("its turn", () => engine.core.view(ref).latest_turn?.status === "completed");
  agent.loseNextTurn();
  const receipt = await here.send("hello");
  const other = engine.core.view(ref);
  const told = { thread_id: other.id!, turn_id: other.latest_turn!.id, item: said(receipt.receipt) };
  const before = count("item.completed");
  agent.tell({ kind: "item_completed", ...told });
  await until("it is told", () => count("item.completed") > before);
  expect(here.state(receipt)).toBe("sent");
});

test("a turn ends once: a second word of its end holds nothing that was released", async () => {
  const receipt = await here.send('[{"fail":"no luck"}]');
  await here.reaches(receipt, "done");
  const { agent, engine } = here.world;
  engine.core.release(here.ref);
  const turn = thread().turns[0]!;
  agent.tell({ kind: "turn_completed", thread_id: thread().id, turn });
  agent.tell({ kind: "turn_started", thread_id: thread().id, turn_id: turn.id, at: here.clock.now() });
  await macrotasks(30);
  expect(count("turn.failed")).toBe(1);
  expect(here.view()).toMatchObject({ latest_turn: { status: "failed" }, queue: { held: false } });
});

test("a late word of its start does not begin a turn again", async () => {
  await here.reaches(await here.send("hello"), "done");
  const turn_id = here.view().latest_turn!.id;
  here.world.agent.tell({
    kind: "turn_started",
    thread_id: thread().id,
    turn_id,
    at: here.clock.now(),
  });
  await macrotasks(30);
  expect(here.view().latest_turn?.status).toBe("completed");
  expect(count("turn.started")).toBe(1);
});

test("a request does not outlive its turn, even when no event reported its end", async () => {
  const { agent } = here.world;
  await here.send('[{"ask":"touch x"}]');
  await until("it asks", () => here.view().status === "waiting");
  const { turn } = thread().running!;
  const over = { ...turn, status: "interrupted" as const, completed_at: here.clock.now() };
  agent.tell({ kind: "turn_completed", thread_id: thread().id, turn: over });
  await until("it is over", () => here.view().latest_turn?.status === "interrupted");
  expect(here.view().requests).toEqual([]);
  expect(count("request.expired")).toBe(1);
});

test("a turn that a usage limit cut is nudged once, however often its end is reported", async () => {
  here = await rig({ policy: { usageLimits: { continue: "queue", nudge: "go on" } } });
  await here.send('[{"limit":60000}]');
  await until("it is limited", () => here.view().limited !== null);
  here.world.agent.tell({ kind: "turn_completed", thread_id: thread().id, turn: thread().turns[0]! });
  await macrotasks(30);
  const texts = here.world.store.messages.list({ limit: 10 }).map(({ text }) => text);
  expect(texts.filter((text) => text === "go on")).toHaveLength(1);
});

for (const [what, beforeMs, agoMs] of [
  ["of this second ends now, to the millisecond, though Codex tells whole seconds", 777, 777],
  ["of an hour ago ended then, and not when that was heard", 3_600_000, 1_800_000],
] as const) {
  test(`a turn ${what}`, async () => {
    await here.reaches(await here.send(waiting), "delivered");
    const began = here.clock.now();
    here.clock.jump(beforeMs);
    const { turn } = thread().running!;
    thread().running = null;
    const completed_at = here.clock.now() - agoMs;
    const over = { ...turn, status: "completed" as const, completed_at };
    here.world.agent.tell({ kind: "turn_completed", thread_id: thread().id, turn: over });
    await until("it is over", () => here.view().latest_turn?.status === "completed");
    const told = Date.parse(here.view().latest_turn!.completed_at!);
    expect(told).toBe(agoMs < 1000 ? began + beforeMs : completed_at);
  });
}

test("no turn ends before it began, whatever Codex tells", async () => {
  await here.reaches(await here.send(waiting), "delivered");
  const { turn } = thread().running!;
  thread().running = null;
  const over = { ...turn, status: "completed" as const, completed_at: here.clock.now() - 60_000 };
  here.world.agent.tell({ kind: "turn_completed", thread_id: thread().id, turn: over });
  await until("it is over", () => here.view().latest_turn?.status === "completed");
  const { started_at, completed_at } = here.view().latest_turn!;
  expect(Date.parse(completed_at!)).toBeGreaterThanOrEqual(Date.parse(started_at));
});
