/** What the stream gives twice or late, and what comes back. */
import { expect, test } from "bun:test";
import { systemClock } from "../../../src/base/clock.ts";
import type { RelayPort } from "../../../src/core/model/ports/relay.ts";
import { takeReports } from "../../../src/core/relay/reported.ts";
import { until } from "../../support/codex-sink.ts";
import { broker, relayAs } from "../../world/relay.ts";
import { testWorld } from "../../world/world.ts";
import { never, refusal } from "../rig.ts";
import { heard, machine, reaches, send, stateOf, text, two } from "./rig.ts";

test("what the stream gives again after its window of duplicates is stored once", async () => {
  const { shared, tower, laptop } = await two({ loses: () => true });
  await refusal(send(laptop, "tower/@docs", { key: "K" }));
  await until(
    "it is there",
    () => tower.store.messages.findByKey("none") === undefined && heard(tower).length === 1,
  );
  for (let at = 0; at < 3; at++) {
    shared.endWindow();
    shared.giveAgain();
    await refusal(send(laptop, "tower/@docs", { key: "K" }));
  }
  expect(tower.store.messages.list({ limit: 10 })).toHaveLength(1);
  expect(heard(tower)).toEqual(["hello"]);
});

test("a send that lost its answer is unsure, and its report makes the receipt all the same", async () => {
  let isLost = true;
  const { tower, laptop } = await two({ loses: () => isLost });
  const lost = await refusal(send(laptop, "tower/@docs", { key: "K" }));
  expect(lost.code).toBe("unsure");
  isLost = false;
  await until("the report", () => laptop.store.relay.listRelayed({ limit: 5 }).length === 1);
  const again = await send(laptop, "tower/@docs", { key: "K" });
  expect(tower.store.messages.find(again.receipt)).toBeDefined();
  await reaches(laptop, again.receipt, "done");
  expect(heard(tower)).toEqual(["hello"]);
  expect(laptop.store.relay.listRelayed({ limit: 5 })).toHaveLength(1);
});

test("messages to one thread arrive in the order they were accepted, whatever is given again", async () => {
  let count = 0;
  const { shared, tower, laptop } = await two({ loses: () => ++count % 3 === 0 });
  for (let at = 0; at < 20; at++) {
    while (
      await send(laptop, "tower/@docs", { text: text(at), key: `k${at}` }).then(
        () => false,
        () => true,
      )
    )
      shared.endWindow();
    if (at % 4 === 0) shared.giveAgain();
  }
  await until("all are heard", () => {
    shared.giveAgain();
    return heard(tower).length >= 20;
  });
  expect(heard(tower)).toEqual(Array.from({ length: 20 }, (_, at) => text(at)));
});

test("a daemon that dies before its first report leaves it to the next one", async () => {
  const shared = broker();
  const mute: RelayPort = {
    open: async (...given) => ({
      ...(await shared.port.open(...given)),
      report: () => new Promise(() => {}),
    }),
  };
  const tower = machine(shared, relayAs("tower"), { relay: mute });
  const laptop = machine(shared, relayAs("laptop"));
  const settings = { cwd: "/repo", sandbox: "read-only" as const };
  const draft = { name: "docs", text: null, goal: null, settings, key: null, created_by: "cli" };
  await tower.engine.core.create(draft, never());
  const { receipt } = await send(laptop, "tower/@docs");
  const isOver = () => tower.store.messages.find(receipt) !== undefined && stateOf(tower, receipt) === "done";
  await until("its turn is over there", isOver);
  tower.abandon();
  shared.cut("tower");
  machine(shared, relayAs("tower"), { store: tower.store, threads: tower.agent.threads });
  await reaches(laptop, receipt, "done");
});

test("a state that is reached while the answer to its report is lost is told all the same", async () => {
  let isLost = true;
  const { tower, laptop } = await two({ loses: (what) => what === "report" && isLost });
  const settings = { cwd: "/repo", sandbox: "read-only" as const };
  const receipts: string[] = [];
  for (const [name, script] of [
    ["one", "first"],
    ["two", '[{"wait":"go"},{"say":"released"}]'],
    ["three", "third"],
  ] as const) {
    const draft = { name, text: null, goal: null, settings, key: null, created_by: "cli" };
    await tower.engine.core.create(draft, never());
    receipts.push((await send(laptop, `tower/@${name}`, { text: script })).receipt);
  }
  const [one, middle, three] = receipts as [string, string, string];
  const there = (id: string) => tower.store.messages.find(id)?.state;
  await until("the others are over there", () => there(one) === "done" && there(three) === "done");
  await until(
    "they were told",
    () => stateOf(laptop, three) === "done" && stateOf(laptop, middle) !== "done",
  );
  tower.agent.release("go");
  await until("it is over there", () => there(middle) === "done");
  isLost = false;
  await reaches(laptop, middle, "done");
});

test("a broken relay refuses, and nothing is stored on either side", async () => {
  const { shared, tower, laptop } = await two();
  shared.isDown = true;
  expect((await refusal(send(laptop, "tower/@docs"))).code).toBe("host_down");
  shared.isDown = false;
  shared.isFull = true;
  expect((await refusal(send(laptop, "tower/@docs"))).code).toBe("overloaded");
  expect(laptop.store.relay.listRelayed({ limit: 5 })).toEqual([]);
  expect(tower.store.messages.list({ limit: 5 })).toEqual([]);
});

test("what is refused stays refused when it comes again, also when it could be taken by then", async () => {
  const { shared, tower, laptop } = await two({ loses: () => false });
  const { receipt } = await send(laptop, "tower/@later");
  await reaches(laptop, receipt, "failed");
  const settings = { cwd: "/repo", sandbox: "read-only" as const };
  const draft = { name: "later", text: null, goal: null, settings, key: null, created_by: "cli" };
  await tower.engine.core.create(draft, never());
  const body = JSON.stringify({
    v: 1,
    id: receipt,
    to: "@later",
    text: "hello",
    by: null,
    settings: null,
    depth: 0,
  });
  const link = await shared.port.open(relayAs("copy"), "home", {
    mail: (arriving) => arriving.length,
    pooled: async () => "done",
    mayTake: () => false,
    reports: (arriving) => arriving.length,
    up() {},
  });
  await link.send({ box: "tower" }, `again ${receipt}`, body);
  await until("it was given", () => shared.waiting() === 0);
  expect(tower.store.messages.find(receipt)).toBeUndefined();
  expect(stateOf(laptop, receipt)).toBe("failed");
});

test("an older report changes nothing, however late it comes", () => {
  const world = testWorld();
  const report = (seq: number, state: string) => ({
    origin: "tower",
    tries: 1,
    body: JSON.stringify({
      v: 1,
      kind: "receipt",
      id: "01980000-0000-7000-8000-000000000000",
      seq,
      thread: "bcdfgh",
      state,
      outcome: null,
      turn_id: null,
      joined: false,
      attempt: 1,
      waits: null,
      error: null,
      asks: [],
      answer: null,
    }),
  });
  takeReports(world, [report(5, "sent"), report(3, "queued"), report(4, "claimed"), report(5, "sent")]);
  const [row] = world.store.relay.listRelayed({ limit: 2 });
  expect(row).toMatchObject({ state: "sent", seen: 5, box: "tower", thread: "bcdfgh" });
  const told = world.engine.core.events({}, null, 10).events.map(({ kind }) => kind);
  expect(told).toEqual(["message.sent"]);
});

test("clocks an hour apart change nothing", async () => {
  const ahead = { ...systemClock, now: () => systemClock.now() + 3_600_000 };
  const { tower, laptop } = await two({ tower: { clock: ahead } });
  const first = await send(laptop, "tower/@docs", { text: "first" });
  const second = await send(laptop, "tower/@docs", { text: "second" });
  await reaches(laptop, second.receipt, "done");
  expect(stateOf(laptop, first.receipt)).toBe("done");
  expect(heard(tower)).toEqual(["first", "second"]);
});

test("the kinds of [relay] publish come back, and no others", async () => {
  const shared = broker();
  const tower = machine(shared, { ...relayAs("tower"), publish: ["turn.completed"] });
  const laptop = machine(shared, relayAs("laptop"));
  const draft = {
    name: "docs",
    text: null,
    goal: null,
    settings: { cwd: "/repo" },
    key: null,
    created_by: "cli",
  };
  await tower.engine.core.create(draft, never());
  const { receipt } = await send(laptop, "tower/@docs");
  const told = () =>
    laptop.engine.core
      .events({}, null, 1000)
      .events.filter(({ kind }) => kind === "relay.event")
      .map((event) => [event.receipt, event.data["box"], event.data["kind"]]);
  await until("it was told", () => told().length > 0);
  await reaches(laptop, receipt, "done");
  expect(told()).toEqual([[receipt, "tower", "turn.completed"]]);
});

test("what its turn asks there ends a wait here", async () => {
  const { laptop } = await two();
  const { receipt } = await send(laptop, "tower/@docs", { text: '[{"ask":"npm test"},{"say":"done"}]' });
  const waited = await laptop.engine.core.wait({
    targets: [receipt],
    self: null,
    condition: "done",
    any: false,
    timeoutMs: 5000,
    signal: never(),
  });
  expect(waited.verdict).toBe("needs_answer");
  expect(laptop.engine.core.receipt(receipt).waits).toContain("it asks on tower");
});
