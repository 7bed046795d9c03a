import { expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { until } from "../../support/codex-sink.ts";
import { macrotasks, rig, waiting } from "../rig.ts";

test("another codex home is refused, naming both, and judges no thread", async () => {
  const here = await rig();
  here.world.agent.kill();
  const { sink } = here.world.engine;
  const epoch = sink.onSpawn({ pid: 5, group: 5, start_time: "1", boot_id: "b" });
  const refuse = () => sink.onReady(epoch, { version: "0.169.0", codex_home: "/elsewhere" });
  expect(refuse).toThrow(DispatchError);
  expect(refuse).toThrow("/elsewhere");
  expect(refuse).toThrow("/home/user/.codex");
  expect(here.world.live.epoch()).toBeNull();
});

test("a death opens a gap, and it is closed once everything it touched was read", async () => {
  const here = await rig();
  await here.reaches(await here.send(waiting), "delivered");
  here.world.agent.kill();
  here.world.agent.up();
  await until("reconciled", () => here.kinds().at(-1) === "reconciled");
  const told = here.kinds();
  expect(told.indexOf("gap")).toBeLessThan(told.lastIndexOf("turn.interrupted"));
  expect(told.lastIndexOf("turn.interrupted")).toBeLessThan(told.lastIndexOf("reconciled"));
});

test("a Codex whose file was replaced is renewed once nothing runs, and not before", async () => {
  const here = await rig();
  const { agent } = here.world;
  await here.reaches(await here.send(waiting), "delivered");
  agent.setProgram("replaced");
  await here.clock.advance(20_000);
  expect(agent.renewals).toEqual([]);
  const before = here.world.live.epoch();
  agent.release("go");
  await until("the turn is over", () => here.view().status === "idle");
  for (let at = 0; at < 10 && agent.renewals.length === 0; at++) await here.clock.advance(5_000);
  expect(agent.renewals).toHaveLength(1);
  await until("another epoch", () => (here.world.live.epoch() ?? 0) > before!);
  expect(here.view().queue.held).toBe(false);
});

test("a Codex whose file was replaced is not renewed under a thread that it opens", async () => {
  const here = await rig();
  const { agent } = here.world;
  agent.kill();
  agent.up();
  const answer = agent.withhold("resumeThread");
  const receipt = await here.send("hello", { mode: "queue" });
  await until("it is being opened", () => here.world.live.openings.size === 1);
  agent.setProgram("replaced");
  await here.clock.advance(20_000);
  expect(agent.renewals).toEqual([]);
  answer();
  await here.reaches(receipt, "done");
  for (let at = 0; at < 10 && agent.renewals.length === 0; at++) await here.clock.advance(5_000);
  expect(agent.renewals).toHaveLength(1);
});

test("a renewal is nobody's fault, whatever began just before it", async () => {
  const here = await rig();
  const { agent, blame, live } = here.world;
  agent.kill();
  agent.up();
  const renew = agent.renew.bind(agent);
  agent.renew = async (words) => {
    agent.withhold("resumeThread", 1);
    await here.send("hello", { mode: "queue" });
    await until("it is being opened", () => live.openings.size === 1);
    await renew(words);
  };
  agent.setProgram("replaced");
  for (let at = 0; at < 10 && agent.renewals.length === 0; at++) {
    await here.clock.advance(5_000);
    await macrotasks(10);
  }
  await until("it is renewed", () => agent.renewals.length === 1);
  expect([...blame.suspects.keys()]).toEqual([]);
});

test("a batch the disk refuses leaves nothing half kept, and is healed by reading", async () => {
  const here = await rig();
  const { store } = here.world;
  const { append } = store.events;
  store.events.append = () => {
    throw new DispatchError("storage", "the disk is full");
  };
  const thread = [...here.world.agent.threads.values()][0]!;
  here.world.agent.intrude(thread.id);
  await until("Codex runs it", () => thread.running !== null && here.world.live.get(thread.id) === undefined);
  store.events.append = append;
  expect(here.view().latest_turn).toBeNull();
  here.world.agent.release("theirs");
  const receipt = await here.send("after", { mode: "queue" });
  await here.clock.advance(20_000);
  await here.reaches(receipt, "done");
});

test("an epoch is ended only once nothing of its group is left; all else follows from its death at once", async () => {
  const here = await rig();
  const { engine, store, live } = here.world;
  const epoch = live.epoch()!;
  engine.sink.onExit(epoch, "codex was killed by SIGKILL", true);
  expect(live.epoch()).toBeNull();
  expect(here.kinds().filter((kind) => kind === "gap")).toHaveLength(1);
  expect(store.epochs.isEnded(epoch)).toBe(false);
  expect(store.epochs.unended().map(({ id }) => id)).toEqual([epoch]);
  // The next one is born once it is gone.
  engine.sink.onSpawn({ pid: 5, group: 5, start_time: "1", boot_id: "b" });
  expect(store.epochs.isEnded(epoch)).toBe(true);
  expect(here.kinds().filter((kind) => kind === "gap")).toHaveLength(1);
});
