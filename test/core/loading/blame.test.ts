/** A thread that ends Codex is held after two deaths, named, and starves nobody. */
import { beforeEach, describe, expect, test } from "bun:test";
import { fail } from "../../../src/base/error.ts";
import { limits } from "../../../src/base/limits.ts";
import type { Receipt } from "../../../src/contract/receipt.ts";
import type { HoldReason } from "../../../src/contract/words.ts";
import type { MessageId, Ref } from "../../../src/core/model/ports/rows.ts";
import { handClock } from "../../support/codex-clock.ts";
import { testWorld } from "../../world/world.ts";
import { macrotasks, never, type Rig, refusal, rig } from "../rig.ts";

let here: Rig;
let others: Ref[];
beforeEach(async () => {
  here = await rig();
  others = [];
  for (const name of ["a", "b", "c"]) {
    const draft = { name, text: null, goal: null, settings: { cwd: "/repo" }, key: null, created_by: "cli" };
    others.push((await here.world.engine.core.create(draft, never())).ref);
  }
});

const core = () => here.world.engine.core;
const queue = (ref: Ref, text: string) =>
  core().send(
    ref,
    {
      text,
      mode: "queue",
      or_queue: false,
      overrides: null,
      key: null,
      cause_id: null,
      depth: 0,
      caller: "cli",
    },
    never(),
  );

/** A supervisor starts another child a while after each death. A turn that one cut holds its thread, as ever. */
async function live(rounds = 120): Promise<number> {
  let deaths = 0;
  for (let at = 0; at < rounds; at++) {
    if (here.world.agent.status().state !== "running") {
      deaths++;
      here.world.agent.up();
    }
    const named = core()
      .crashers()
      .map(({ ref }) => ref);
    for (const ref of others) if (held(ref) === "crashed" && !named.includes(ref)) core().release(ref);
    await here.clock.advance(1000);
  }
  return deaths;
}

const held = (ref: Ref) => here.world.store.lanes.get(ref).hold_reason;

describe.each(["the resume of a thread", "a message"])("%s that ends Codex", (what) => {
  beforeEach(async () => {
    here.world.agent.kill();
    here.world.agent.up();
    const id = here.world.store.lanes.get(here.ref).thread_id!;
    if (what !== "a message") here.world.agent.deadly.add(id);
  });
  const poison = what === "a message" ? '[{"die":true}]' : "hello";

  test("is tried twice; its thread is held and named, and all others go on", async () => {
    const bad = await queue(here.ref, poison);
    const good = [];
    for (const ref of [...others, ...others]) good.push(await queue(ref, "hello"));
    expect(await live()).toBeLessThanOrEqual(4);
    for (const receipt of good) await here.reaches(receipt, "done");
    expect(others.map(held)).toEqual([null, null, null]);
    expect(held(here.ref)).toBe("crashed");
    expect(core().receipt(bad.receipt)).toMatchObject({ state: "queued", held: "crashed" });
    expect(core().crashers()).toMatchObject([{ ref: here.ref }]);
    const { code, hint } = await refusal(here.send("now"));
    expect(code).toBe("conflict");
    expect(hint).toContain("queue release");
  });

  test("is tried again once it is released, and goes when it is harmless by then", async () => {
    const bad = await queue(here.ref, poison);
    await live();
    here.world.agent.deadly.clear();
    if (what === "a message") core().cancel(bad.receipt);
    core().release(here.ref);
    const next = what === "a message" ? await queue(here.ref, "hello") : bad;
    await live(10);
    await here.reaches(next, "done");
    expect(core().crashers()).toEqual([]);
  });
});

test("two at once are both found, one after the other", async () => {
  here.world.agent.kill();
  here.world.agent.up();
  const [first, second, third] = others as [Ref, Ref, Ref];
  await queue(first, '[{"die":true}]');
  await queue(second, '[{"die":true}]');
  const good = await queue(third, "hello");
  expect(await live(120)).toBeLessThanOrEqual(6);
  expect([held(first), held(second), held(third)]).toEqual(["crashed", "crashed", null]);
  await here.reaches(good, "done");
});

test("a thread is no suspect any more once it was read, though nothing of it had to be opened", async () => {
  const { agent, blame } = here.world;
  await here.reaches(await queue(here.ref, '[{"wait":"go"}]'), "delivered");
  agent.kill();
  agent.beforeNext("listTurns", agent.kill);
  await live(20);
  expect(here.view().latest_turn?.status).toBe("interrupted");
  expect(blame.suspects.get(here.ref)?.causes.has(null) ?? false).toBe(false);
});

test("the end that dispatch itself makes of Codex is no thread's fault", async () => {
  const { agent, engine } = here.world;
  agent.kill();
  agent.deadly.add(here.world.store.lanes.get(here.ref).thread_id!);
  await queue(here.ref, "hello");
  const dies = async () => {
    for (let at = 0; at < 60 && agent.status().state === "running"; at++) await here.clock.advance(1000);
    expect(agent.status().state).not.toBe("running");
  };
  agent.up();
  await dies();
  agent.up();
  engine.closing();
  await dies();
  expect(held(here.ref)).toBeNull();
});

test("nor is the end of a Codex that a daemon before this one left behind", async () => {
  here.world.agent.loseNextText();
  await here.reaches(await queue(here.ref, "hello"), "sent");
  const [epoch] = here.world.store.epochs.unended();
  here.world.abandon();
  const next = testWorld({ clock: handClock(), store: here.world.store });
  next.engine.begin();
  next.engine.sink.onExit(epoch!.id, "it was left behind");
  expect(next.blame.suspects.size).toBe(0);
});

test("a death with nothing under way is nobody's fault, nor one after a success", async () => {
  for (let at = 0; at < 5; at++) {
    here.world.agent.kill();
    here.world.agent.up();
    await here.reaches(await queue(here.ref, "hello"), "done");
    await here.clock.advance(limits.loop.everyMs);
  }
  expect(core().crashers()).toEqual([]);
});

test("a suspect that waits for a place keeps nobody from being settled who has that place", async () => {
  here = await rig({ policy: { maxRunningTurns: 1 } });
  const draft = {
    name: "b",
    text: null,
    goal: null,
    settings: { cwd: "/repo" },
    key: null,
    created_by: "cli",
  };
  others = [(await core().create(draft, never())).ref];
  here.world.agent.loseNextTurn();
  const sent = await queue(others[0]!, "has the place");
  await here.reaches(sent, "sent");
  const waits = await queue(here.ref, "waits for it");
  here.world.agent.kill();
  // As its resume under another child left it.
  here.world.blame.suspects.set(here.ref, { causes: new Map([[null, 1]]), tried: 0, refusedAt: null });
  await live(30);
  expect(here.state(sent)).toBe("done");
  await here.reaches(waits, "done");
});

describe("a suspect that gets nowhere keeps no other one waiting:", () => {
  let stuck: Ref;
  let other: Ref;
  let waits: Receipt;
  /** Both had a text in flight when Codex died; the stuck one comes first in each pass. */
  beforeEach(async () => {
    const { agent, store } = here.world;
    const sent = new Map<Ref, Receipt>();
    for (const ref of others.slice(0, 2)) {
      agent.loseNextText();
      const receipt = await queue(ref, "hello");
      sent.set(ref, receipt);
      await here.reaches(receipt, "sent");
    }
    [stuck, other] = store.lanes.unfinished() as [Ref, Ref];
    waits = sent.get(other)!;
    agent.kill();
  });

  const cannotRun: Record<string, () => void> = {
    "it is held": () => core().hold(stuck),
    "its folder is gone": () => here.world.store.lanes.set(stuck, { cwd: "/gone" }),
    "a usage limit keeps it": () => {
      const { store } = here.world;
      const row = store.lanes.get(stuck);
      store.lanes.set(stuck, { effective: { ...row.effective!, model_provider: "limited" } });
      const times = {
        resets_at: here.clock.now() + limits.timer.dayMs,
        until: here.clock.now() + limits.timer.dayMs,
      };
      const began_at = here.clock.now();
      store.usageLimits.put({ provider: "limited", limit_id: null, ...times, began_at, reason: "used up" });
    },
    "its history is never read": () => {
      const { agent, store, clock } = here.world;
      const { listTurns } = agent;
      agent.listTurns = async (id, asked) => {
        if (id !== store.lanes.get(stuck).thread_id) return listTurns(id, asked);
        await clock.sleep(6 * limits.loop.everyMs);
        return fail("timeout", "Codex did not answer", { data: { outcome: "unknown" } });
      };
    },
  };
  test.each(Object.keys(cannotRun))("%s", async (why) => {
    cannotRun[why]!();
    here.world.agent.up();
    for (let at = 0; at < 120; at++) {
      await here.clock.advance(1000);
      await macrotasks(4);
    }
    expect(here.state(waits)).toBe("done");
    expect(core().crashers()).toEqual([]);
  });
});

test("a suspect is not held for a death that another thread was part of for the first time", async () => {
  const { agent } = here.world;
  agent.loseNextText();
  const suspect = await queue(here.ref, "hello");
  await here.reaches(suspect, "sent");
  agent.kill();
  agent.loseNextText();
  await live(15);
  await here.reaches(suspect, "sent");
  agent.loseNextText();
  const fresh = await queue(others[0]!, "hello");
  await here.reaches(fresh, "sent");
  agent.kill();
  expect(core().crashers()).toEqual([]);
  await live(60);
  await here.reaches(suspect, "done");
  await here.reaches(fresh, "done");
});

test("a message is blamed for what it did twice itself, not for what another one of its thread did", async () => {
  const { agent, store } = here.world;
  /** The first in the queue is in flight, and Codex dies. */
  const dies = async (receipt: Receipt) => {
    agent.loseNextText();
    store.lanes.set(here.ref, { hold_reason: null });
    await live(10);
    await here.reaches(receipt, "sent");
    agent.kill();
    core().hold(here.ref);
    await live(30);
    expect(here.state(receipt)).toBe("queued");
  };
  await dies(await queue(here.ref, "first"));
  const second = await queue(here.ref, "second");
  core().move(second.receipt, 1);
  await dies(second);
  expect(core().crashers()).toEqual([]);
  await dies(second);
  expect(core().crashers()).toMatchObject([{ message: expect.stringContaining(second.receipt) }]);
});

describe("a culprit that is held no more is one no more:", () => {
  const convict = (reason: HoldReason, cause: MessageId | null) => {
    here.world.store.lanes.set(here.ref, { hold_reason: reason });
    here.world.blame.culprits.set(here.ref, cause);
    expect(core().crashers()).toHaveLength(1);
  };

  test("its hold was that of an unsure receipt, and a person settled that", async () => {
    const { store } = here.world;
    core().hold(here.ref);
    const unsure = await queue(here.ref, "unsure");
    const next = await queue(here.ref, "next");
    store.messages.set(unsure.receipt as MessageId, { state: "claimed", attempt: 2, epoch: 1 });
    store.messages.set(unsure.receipt as MessageId, { state: "unsure" });
    convict("unsure", unsure.receipt as MessageId);
    core().resolveUnsure(unsure.receipt, "delivered", "cli");
    await here.reaches(next, "done");
    expect(core().crashers()).toEqual([]);
  });

  test("it was given up, and taken over again", async () => {
    await here.reaches(await queue(here.ref, "hello"), "done");
    convict("crashed", null);
    const given = core().give(here.ref);
    await live(5);
    await given;
    expect(core().crashers()).toEqual([]);
    await core().take(here.ref);
    await here.reaches(await here.send("hello"), "done");
  });
});
