/** History read into the index: bounded, resumable, and never taking anything away. */
import { expect, test } from "bun:test";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import type { TurnFacts } from "../../../src/core/model/ports/thread.ts";
import type { Bounds } from "../../../src/core/search/sync.ts";
import { never, type Rig, refusal, rig } from "../rig.ts";

const whole: Bounds = { turns: null, items: null, bytes: null, ms: null };

interface Theirs {
  at: Rig;
  ref: Ref;
  /** Newest last. */
  turns: TurnFacts[];
  sync(over?: Partial<Bounds>, signal?: AbortSignal): Promise<void>;
  state(): ReturnType<Rig["view"]>["sync"];
  /** Of all turns there are: is everything in the index? */
  holdsAll(): boolean;
  say(many: number, status?: TurnFacts["status"]): void;
}

/** An attached thread with a history that dispatch never heard. */
async function theirs(turns: number): Promise<Theirs> {
  const at = await rig();
  const { agent, engine, store } = at.world;
  const threadId = agent.madeElsewhere("theirs", "first");
  const ref = await engine.core.attach(threadId, "cli");
  const thread = agent.threads.get(threadId)!;
  let said = 0;
  const made: Theirs = {
    at,
    ref,
    turns: thread.turns,
    sync: (over = {}, signal = never()) => engine.core.sync(ref, { ...whole, ...over }, signal),
    state: () => engine.core.view(ref).sync,
    holdsAll: () =>
      thread.turns.every((turn) => turn.items.every((item) => store.items.has(ref, turn.id, item.id))),
    say(many, status = "completed") {
      for (let i = 0; i < many; i++) {
        const id = `turn-${String(++said).padStart(6, "0")}`;
        const [user, agent] = structuredClone(thread.turns[0]!.items) as [
          TurnFacts["items"][0],
          TurnFacts["items"][0],
        ];
        const items = [
          { ...user, id: `${id}-u`, text: `question ${said}` },
          { ...agent, id: `${id}-a`, text: `answer ${said}` },
        ];
        thread.turns.push({ ...thread.turns[0]!, id, status, items });
      }
    },
  };
  made.say(turns - 1);
  return made;
}

test("before it was read only the metadata is known; then all of it", async () => {
  const one = await theirs(25);
  expect(one.state()).toEqual({
    state: "metadata",
    turns: 0,
    items: 0,
    bytes: 0,
    last_synced_at: null,
    source: null,
    truncated: false,
    error: null,
  });
  await one.sync();
  expect(one.state()).toMatchObject({
    state: "complete",
    turns: 25,
    items: 50,
    source: "history",
    truncated: false,
  });
  expect(one.state().bytes).toBeGreaterThan(0);
  expect(one.holdsAll()).toBe(true);
});

test("a sync that is bounded says so, and the next goes on where it stopped", async () => {
  const one = await theirs(25);
  const sizes: number[] = [];
  for (;;) {
    await one.sync({ turns: 7 });
    sizes.push(one.state().turns);
    if (!one.state().truncated) break;
    expect(one.state().state).toBe("partial");
  }
  expect(sizes).toEqual([7, 14, 21, 25]);
  expect(one.holdsAll()).toBe(true);
});

test("items, bytes and time bound it too, to the end of a turn", async () => {
  const one = await theirs(25);
  await one.sync({ items: 5 });
  expect(one.state()).toMatchObject({ turns: 3, items: 6, truncated: true });
  const { bytes } = one.state();
  await one.sync({ bytes: 1 });
  expect(one.state()).toMatchObject({ turns: 4, truncated: true });
  expect(one.state().bytes).toBeGreaterThan(bytes);
  const late = await theirs(25);
  await late.sync({ ms: 0 });
  expect(late.state()).toMatchObject({ turns: 1, truncated: true });
  const cancelled = await theirs(25);
  await cancelled.sync({}, AbortSignal.abort());
  expect(cancelled.state()).toMatchObject({ turns: 1, truncated: true });
  await one.sync();
  expect(one.holdsAll()).toBe(true);
});

test("what is new is read first, and only that once all was read", async () => {
  const one = await theirs(30);
  await one.sync();
  one.say(3);
  let asked = 0;
  const { listTurns } = one.at.world.agent;
  one.at.world.agent.listTurns = (id, page) => {
    asked++;
    return listTurns(id, page);
  };
  await one.sync();
  expect(one.state()).toMatchObject({ state: "complete", turns: 33 });
  expect(asked).toBe(1);
});

test("a turn that still ran when it was read is read again, also one that reads as interrupted", async () => {
  for (const status of ["in_progress", "interrupted"] as const) {
    const one = await theirs(3);
    one.say(1, status);
    const last = one.turns.at(-1)!;
    const answer = last.items.pop()!;
    await one.sync();
    last.items.push(answer);
    one.say(1);
    await one.sync();
    expect(one.holdsAll()).toBe(true);
    expect(one.state()).toMatchObject({ state: "complete", turns: 5, items: 10 });
  }
});

test("what a revert took out of the history stays in the index, and reading goes on", async () => {
  const one = await theirs(12);
  await one.sync({ turns: 4 });
  one.turns.splice(5);
  one.say(2);
  await one.sync();
  expect(one.state()).toMatchObject({ state: "complete", turns: 11 });
  expect(one.holdsAll()).toBe(true);
});

test("after a cursor that Codex no longer accepts, the part is read again from its start", async () => {
  const one = await theirs(25);
  await one.sync({ turns: 5 });
  const { listTurns } = one.at.world.agent;
  one.at.world.agent.listTurns = (id, page) => {
    if (page.cursor === "5") one.at.world.agent.refuseNext("listTurns", "other");
    return listTurns(id, page);
  };
  await one.sync();
  expect(one.state()).toMatchObject({ state: "complete", turns: 25 });
});

test("two at once are one after the other, and count nothing twice", async () => {
  const one = await theirs(25);
  await Promise.all([one.sync({ turns: 5 }), one.sync({ turns: 5 }), one.sync()]);
  expect(one.state()).toMatchObject({ state: "complete", turns: 25, items: 50 });
});

test("the view shows a failure until a sync succeeds, and what was read before stays", async () => {
  const one = await theirs(25);
  await one.sync({ turns: 5 });
  one.at.world.agent.refuseNext("listTurns", "overloaded");
  expect((await refusal(one.sync())).code).toBe("agent");
  expect(one.state()).toMatchObject({ state: "error", turns: 5, error: expect.any(String) });
  await one.sync();
  expect(one.state()).toMatchObject({ state: "complete", turns: 25, error: null });
  one.at.world.agent.kill();
  expect((await refusal(one.sync())).code).toBe("agent_down");
});

test("a live lane is indexed as it goes; a sync finds nothing to add and calls it whole", async () => {
  const at = await rig();
  const sent = await at.send("hello");
  await at.reaches(sent, "done");
  expect(at.view().sync).toMatchObject({ state: "partial", source: "live", turns: 1, items: 2 });
  await at.world.engine.core.sync(at.ref, whole, never());
  expect(at.view().sync).toMatchObject({ state: "complete", source: "history", turns: 1, items: 2 });
});

/** Whatever the bounds, and however the thread grows in between, nothing is left out in the end. */
for (let seed = 1; seed <= 20; seed++) {
  test(`growth and bounds of seed ${seed} leave nothing out`, async () => {
    let state = seed;
    const chance = (n: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * n);
    };
    const one = await theirs(1 + chance(40));
    for (let step = 0; step < 40; step++) {
      const word = chance(4);
      if (word === 0) one.say(chance(15), chance(3) === 0 ? "interrupted" : "completed");
      else await one.sync(word === 1 ? { items: 1 + chance(12) } : { turns: 1 + chance(12) });
    }
    while (one.state().truncated || one.state().state === "metadata") await one.sync({ turns: 5 });
    expect(one.holdsAll() || one.state().turns < one.turns.length).toBe(true);
    await one.sync();
    expect(one.holdsAll()).toBe(true);
    expect(one.state()).toMatchObject({ state: "complete", turns: one.turns.length });
  });
}
