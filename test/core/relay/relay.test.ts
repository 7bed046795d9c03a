/** Machines that share a relay, over the model of the stream: what comes twice, late, forged or refused. */
import { describe, expect, test } from "bun:test";
import { systemClock } from "../../../src/base/clock.ts";
import type { Draft } from "../../../src/core/delivery/accept.ts";
import { plain } from "../../../src/core/delivery/accept.ts";
import type { RelayPort, RelaySettings } from "../../../src/core/model/ports/relay.ts";
import { awayOf } from "../../../src/core/relay/address.ts";
import { until } from "../../support/codex-sink.ts";
import { type Broker, type BrokerOptions, broker, relayAs } from "../../world/relay.ts";
import { type TestWorld, testWorld, type WorldOptions } from "../../world/world.ts";
import { macrotasks, never, refusal } from "../rig.ts";

const text = (index: number) => `text ${index}`;

function machine(shared: Broker, settings: RelaySettings, options: WorldOptions = {}): TestWorld {
  const world = testWorld({
    relay: shared.port,
    ...options,
    policy: { relay: settings, ...options.policy },
  });
  world.engine.begin();
  world.agent.up();
  return world;
}

async function two(options: BrokerOptions & { laptop?: WorldOptions; tower?: WorldOptions } = {}) {
  const shared = broker(options);
  const tower = machine(shared, relayAs("tower"), options.tower);
  const laptop = machine(shared, relayAs("laptop"), options.laptop);
  const settings = { cwd: "/repo", sandbox: "read-only" as const };
  const draft = { name: "docs", text: null, goal: null, settings, key: null, created_by: "cli" };
  const { ref } = await tower.engine.core.create(draft, never());
  return { shared, tower, laptop, ref };
}

const send = (world: TestWorld, target: string, over: Partial<Draft> & { agent?: string } = {}) => {
  const { agent = null, ...draft } = over;
  return world.engine.core.sendAway({
    to: awayOf(target)!,
    target,
    draft: { ...plain, text: "hello", caller: agent ?? "cli", ...draft },
    agent,
  });
};

const stateOf = (world: TestWorld, receipt: string) => world.engine.core.receipt(receipt).state;
const reaches = (world: TestWorld, receipt: string, state: string) =>
  until(`${receipt} is ${state}`, () => stateOf(world, receipt) === state);

/** What Codex was given, in order. */
const heard = (world: TestWorld) => world.agent.asked;

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
    mail: () => "done",
    pooled: async () => "done",
    mayTake: () => false,
    reports: () => "done",
    up() {},
  });
  await link.send({ box: "tower" }, `again ${receipt}`, body);
  await until("it was given", () => shared.waiting() === 0);
  expect(tower.store.messages.find(receipt)).toBeUndefined();
  expect(stateOf(laptop, receipt)).toBe("failed");
});

describe("a machine that is not what it says", () => {
  const forger = (shared: Broker) =>
    shared.port.open(relayAs("mallory"), "home", {
      mail: () => "done",
      pooled: async () => "done",
      mayTake: () => false,
      reports: () => "done",
      up() {},
    });
  const report = (id: string, state: string) =>
    JSON.stringify({
      v: 1,
      kind: "receipt",
      id,
      seq: 1_000_000,
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
    });

  test("reports nothing of a message that was sent to another one", async () => {
    const { shared, tower, laptop } = await two();
    tower.abandon();
    shared.cut("tower");
    const { receipt } = await send(laptop, "tower/@docs");
    const link = await forger(shared);
    await link.report("laptop", "forged", report(receipt, "failed"));
    await until("it was read", () => shared.waiting() === 1);
    expect(stateOf(laptop, receipt)).toBe("relayed");
  });

  test("is refused where its message cannot be read, and the next one arrives", async () => {
    const { shared, tower, laptop } = await two();
    const link = await forger(shared);
    for (const [at, body] of ["", "{", "null", "[]", '{"v":1}', '{"v":2,"id":"x"}'].entries())
      await link.send({ box: "tower" }, `bad ${at}`, body);
    const newer = { v: 2, id: "01980000-0000-7000-8000-000000000000", to: "@docs", text: "hello" };
    await link.send({ box: "tower" }, "newer", JSON.stringify(newer));
    const { receipt } = await send(laptop, "tower/@docs");
    await reaches(laptop, receipt, "done");
    expect(tower.store.relay.findArrived(newer.id)).toMatchObject({
      state: "refused",
      error: { code: "stale" },
    });
    expect(heard(tower)).toEqual(["hello"]);
  });
});

describe("an agent", () => {
  const agent = "0199aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa";

  test("reaches no machine that [policy] hosts does not list", async () => {
    const { laptop } = await two();
    expect((await refusal(send(laptop, "tower/@docs", { agent }))).code).toBe("denied");
    expect((await refusal(send(laptop, "queue@gpu", { agent }))).code).toBe("denied");
  });

  test("is limited by rate where it is listed", async () => {
    const { laptop } = await two({ laptop: { policy: { hosts: ["tower"] } } });
    for (let at = 0; at < 30; at++) await send(laptop, "tower/@docs", { agent, text: text(at) });
    expect((await refusal(send(laptop, "tower/@docs", { agent }))).code).toBe("thread_busy");
  });

  test("writes with its own name and that of its machine", async () => {
    const { tower, laptop } = await two({ laptop: { policy: { agents: "free" } } });
    const { receipt } = await send(laptop, "tower/@docs", { agent });
    await reaches(laptop, receipt, "done");
    expect(tower.store.messages.get(receipt).caller).toBe(`laptop/${agent}`);
  });
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

describe("a pool", () => {
  const pools = { gpu: { cwd: "/repo", presets: [], atOnce: 1 } };

  test("a message that two machines were given is a thread on one of them", async () => {
    let isLost = true;
    const shared = broker({ loses: (what) => isLost && what === "ack" });
    const workers = ["one", "two"].map((name) => machine(shared, relayAs(name, pools)));
    const desk = machine(shared, relayAs("desk"));
    const { receipt } = await send(desk, "queue@gpu");
    // The one that has it may take no more, so it is given to the other one.
    await until("one has it", () => workers.some((world) => heard(world).length > 0));
    for (let at = 0; at < 5; at++) {
      shared.giveAgain();
      await macrotasks(20);
    }
    isLost = false;
    shared.giveAgain();
    await until("the stream has nothing more", () => shared.waiting() === 0);
    expect(workers.flatMap(heard)).toEqual(["hello"]);
    await reaches(desk, receipt, "done");
  });

  test("a claim whose answer was lost is asked for again, and is still this machine's", async () => {
    let lost = 2;
    const shared = broker({ loses: (what) => what === "claim" && lost-- > 0 });
    const worker = machine(shared, relayAs("one", pools));
    const desk = machine(shared, relayAs("desk"));
    const { receipt } = await send(desk, "queue@gpu");
    await reaches(desk, receipt, "done");
    expect(heard(worker)).toEqual(["hello"]);
  });

  test("a machine takes no more than it may work on", async () => {
    const shared = broker();
    const worker = machine(shared, relayAs("one", pools));
    const desk = machine(shared, relayAs("desk"));
    const waiting = '[{"wait":"go"},{"say":"released"}]';
    const first = await send(desk, "queue@gpu", { text: waiting });
    await send(desk, "queue@gpu", { text: "second" });
    await reaches(desk, first.receipt, "delivered");
    expect(shared.waiting()).toBe(1);
    expect(worker.store.relay.countOpen("gpu")).toBe(1);
    worker.agent.release("go");
    await until("the second one is taken", () => heard(worker).includes("second"));
  });

  test("one that was claimed and has no thread yet gets it from the next daemon", async () => {
    const shared = broker();
    const settings = relayAs("one", pools);
    const first = machine(shared, settings);
    first.agent.kill();
    const desk = machine(shared, relayAs("desk"));
    const { receipt } = await send(desk, "queue@gpu");
    await until("it is won", () => first.store.relay.findArrived(receipt)?.state === "won");
    first.abandon();
    shared.cut("one");
    const next = machine(shared, settings, { store: first.store });
    await until("its thread has it", () => heard(next).length === 1);
    await reaches(desk, receipt, "done");
  });
});
