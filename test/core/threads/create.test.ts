import { describe, expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { limits } from "../../../src/base/limits.ts";
import { slug } from "../../../src/core/state/handle.ts";
import type { NewThread } from "../../../src/core/threads/create.ts";
import { handClock } from "../../support/codex-clock.ts";
import { until } from "../../support/codex-sink.ts";
import { type TestWorld, testWorld } from "../../world/world.ts";
import { never, refusal } from "../rig.ts";

const clock = handClock();

function begun(): TestWorld {
  const world = testWorld({ clock });
  world.engine.begin();
  world.agent.up();
  return world;
}

const draft = (over: Partial<NewThread> = {}): NewThread => ({
  name: "docs",
  text: "hello",
  goal: null,
  settings: { cwd: "/repo" },
  key: null,
  created_by: "cli",
  ...over,
});

test("a thread is named, which makes it durable, before its first text goes", async () => {
  const world = begun();
  const { ref, receipt } = await world.engine.core.create(draft(), never());
  const view = world.engine.core.view(ref);
  expect(view).toMatchObject({ title: "docs", handle: "docs", setup: null });
  expect(view.id).not.toBeNull();
  expect([...world.agent.threads.values()][0]!.name).toBe("docs");
  await until("delivered", () => world.engine.core.receipt(receipt!.receipt).state === "done");
});

describe("the same key", () => {
  test("gives the same thread and the same receipt", async () => {
    const world = begun();
    const first = await world.engine.core.create(draft({ key: "k" }), never());
    const second = await world.engine.core.create(draft({ key: "k" }), never());
    expect(second.ref).toBe(first.ref);
    expect(second.receipt?.receipt).toBe(first.receipt!.receipt);
    expect(world.agent.threads.size).toBe(1);
  });

  test("twice at once makes one thread with one text", async () => {
    const world = begun();
    const making = [1, 2].map(() => world.engine.core.create(draft({ key: "k" }), never()));
    const [first, second] = await Promise.all(making);
    expect(second!.ref).toBe(first!.ref);
    expect(second!.receipt?.receipt).toBe(first!.receipt!.receipt);
    await until("delivered", () => world.agent.asked.length > 0);
    expect(world.agent.threads.size).toBe(1);
    expect(world.agent.asked).toEqual(["hello"]);
  });

  test("with other content is a conflict", async () => {
    const world = begun();
    await world.engine.core.create(draft({ key: "k" }), never());
    const error = await refusal(world.engine.core.create(draft({ key: "k", text: "other" }), never()));
    expect(error.code).toBe("conflict");
  });
});

describe("Codex dies while a thread is made", () => {
  for (const verb of ["startThread", "nameThread", "startTurn"] as const) {
    test(`at ${verb}: the thread is finished when Codex is back, once, with its text`, async () => {
      const world = begun();
      world.agent.beforeNext(verb, () => world.agent.kill());
      const creating = world.engine.core.create(draft({ key: "k" }), never());
      await until("the kill", () => world.agent.status().state !== "running");
      await clock.advance(limits.message.sendAnswerMs);
      const { ref } = await creating;
      world.agent.up();
      await clock.advance(limits.loop.everyMs * 2);
      await until("its work is done", () => world.engine.core.view(ref).latest_turn?.status === "completed");
      expect(world.engine.core.view(ref).setup).toBeNull();
      expect(world.agent.asked).toEqual(["hello"]);
      expect([...world.agent.threads.values()].map((thread) => thread.name)).toEqual(["docs"]);
    });
  }
});

test("a refusal of Codex leaves no lane, no handle and no key behind", async () => {
  const world = begun();
  world.agent.refuseNext("startThread", "other");
  expect((await refusal(world.engine.core.create(draft({ key: "k" }), never()))).code).toBe("agent");
  expect(world.engine.core.list({ archived: false, limit: 10 })).toEqual([]);
  const { ref } = await world.engine.core.create(draft({ key: "k" }), never());
  expect(world.engine.core.view(ref).handle).toBe("docs");
});

describe("a new thread that is refused", () => {
  const blocks = (world: TestWorld) => [
    [...world.live.blocked.keys()],
    world.engine.core.events({}, null, 1000).events.filter(({ kind }) => kind.startsWith("thread.block")),
  ];

  test("by Codex was never blocked", async () => {
    const world = begun();
    world.agent.refuseNext("startThread", "other");
    expect((await refusal(world.engine.core.create(draft(), never()))).code).toBe("agent");
    expect(blocks(world)).toEqual([[], []]);
  });

  test("for its settings was never blocked", async () => {
    const world = begun();
    world.agent.configure({
      writable_roots: ["/home/user/.dispatch"],
      network_access: false,
      exclude_slash_tmp: false,
      exclude_tmpdir: false,
    });
    const settings = { cwd: "/repo", sandbox: "workspace-write" as const };
    expect((await refusal(world.engine.core.create(draft({ settings }), never()))).code).toBe("denied");
    expect(blocks(world)).toEqual([[], []]);
  });
});

test("a new thread for which Codex is overloaded is kept, and made a little later", async () => {
  const world = begun();
  world.agent.refuseNext("startThread", "overloaded");
  const { ref } = await world.engine.core.create(draft(), never());
  for (let at = 0; at < 4; at++) await clock.advance(limits.loop.everyMs);
  await until("its text is done", () => world.engine.core.view(ref).latest_turn?.status === "completed");
  expect(world.agent.asked).toEqual(["hello"]);
});

test("a goal is active only once the text was delivered, and never swallows it", async () => {
  const world = begun();
  const { ref, receipt } = await world.engine.core.create(draft({ goal: "ship it" }), never());
  const goals: (string | undefined)[] = [];
  const thread = [...world.agent.threads.values()][0]!;
  await until("the goal is active", () => {
    const status = thread.goal?.status;
    if (goals.at(-1) !== status) goals.push(status);
    return world.engine.core.view(ref).goal?.status === "active";
  });
  expect(goals.filter((status) => status !== undefined)).toEqual(["paused", "active"]);
  expect(["delivered", "done"]).toContain(world.engine.core.receipt(receipt!.receipt).state);
});

test("a taken handle is a conflict that names a free one", async () => {
  const world = begun();
  await world.engine.core.create(draft(), never());
  const error = await refusal(world.engine.core.create(draft({ name: "Docs!" }), never()));
  expect(error.code).toBe("conflict");
  expect(error.hint).toContain("Docs! 2");
});

describe("a handle is the title's slug", () => {
  for (const [title, handle] of [
    ["Docs", "docs"],
    ["Überprüfung der API", "uberprufung-der-api"],
    ["  a/b  c ", "a-b-c"],
    ["v1.2_x", "v1.2_x"],
    ["日本語", ""],
    ["x".repeat(60), "x".repeat(limits.input.handleCharsMax)],
  ] as const) {
    test(`${JSON.stringify(title.slice(0, 24))} -> ${JSON.stringify(handle.slice(0, 24))}`, () => {
      expect(slug(title)).toBe(handle);
    });
  }
});

test("what our own side of the wire will not send is refused, and leaves no thread half made", async () => {
  const world = begun();
  const refused = new DispatchError("usage", "half of a surrogate pair", { data: { outcome: "not_sent" } });
  world.agent.startThread = () => Promise.reject(refused);
  expect(await refusal(world.engine.core.create(draft({ key: "k" }), never()))).toBe(refused);
  expect(world.engine.core.list({ archived: false, limit: 10 })).toEqual([]);
});

test("a text with nothing in it is refused, and no thread is made for it", async () => {
  const world = begun();
  const { code } = await refusal(world.engine.core.create(draft({ text: "" }), never()));
  expect([code, world.engine.core.list({ archived: false, limit: 10 })]).toEqual(["usage", []]);
});

test("an archived thread is renamed once it is restored", async () => {
  const world = begun();
  const { core } = world.engine;
  const { ref } = await core.create(draft({ text: null }), never());
  await core.archive({ ref });
  const { code, hint } = await refusal(core.rename({ ref }, "other"));
  expect([code, hint]).toEqual(["conflict", `dispatch restore ${ref}`]);
  await core.restore({ ref });
  await core.rename({ ref }, "other");
  expect(core.view(ref).title).toBe("other");
});

test("a goal that Codex refuses is refused at once, with nothing left", async () => {
  const world = begun();
  world.agent.refuseNext("setGoal", "switched_off");
  const { code } = await refusal(world.engine.core.create(draft({ goal: "ship it", key: "k" }), never()));
  expect(code).toBe("agent");
  expect(world.engine.core.list({ archived: true, limit: 10 })).toEqual([]);
  expect([...world.agent.threads.values()].filter((thread) => thread.isLoaded || thread.isDurable)).toEqual(
    [],
  );
  await world.engine.core.create(draft({ goal: "ship it", key: "k" }), never());
});

test("a thread that died before its name was stored gets its goal again", async () => {
  const world = begun();
  world.agent.beforeNext("nameThread", () => {
    world.agent.kill();
    world.agent.up();
  });
  const { ref } = await world.engine.core.create(draft({ goal: "ship it", text: null }), never());
  for (let at = 0; at < 20; at++) await clock.advance(limits.loop.everyMs);
  await until("active", () => world.engine.core.view(ref).goal?.status === "active");
  const [thread] = [...world.agent.threads.values()].filter(({ isDurable }) => isDurable);
  expect(thread!.goal).toMatchObject({ objective: "ship it", status: "active" });
});
