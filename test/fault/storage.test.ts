/**
 * A registry that refuses at the worst moment: the real core, with a store whose next commits fail. What Codex has
 * taken is never told as failed, and whoever has a receipt keeps it.
 */

import { expect, test } from "bun:test";
import { DispatchError } from "../../src/base/error.ts";
import type { Mode } from "../../src/contract/words.ts";
import { plain } from "../../src/core/delivery/accept.ts";
import type { Store } from "../../src/core/model/ports/store.ts";
import { openStore } from "../../src/store/store.ts";
import type { HandClock } from "../support/codex-clock.ts";
import { patientClock } from "../support/fault-time.ts";
import { type TestWorld, testWorld } from "../world/world.ts";

const signal = new AbortController().signal;

/** A store that fails the commits that a test says. */
function brittle(): { store: Store; failNext(commits: number): void } {
  const store = openStore(":memory:", 0);
  let failing = 0;
  return {
    failNext(commits) {
      failing = commits;
    },
    store: {
      ...store,
      tx(fn) {
        if (failing === 0) return store.tx(fn);
        failing--;
        throw new DispatchError("storage", "the registry: the disk is full, while writing");
      },
    },
  };
}

const verbs = { send: "startTurn", steer: "steerTurn", context: "injectText" } as const;

async function begun(clock: HandClock, store: Store): Promise<{ world: TestWorld; ref: string }> {
  const world = testWorld({ clock, store });
  world.engine.begin();
  world.agent.up();
  const settings = { cwd: "/repo" };
  const draft = { name: "docs", text: null, goal: null, settings, key: null, created_by: "test" };
  const { ref } = await world.engine.core.create(draft, signal);
  await clock.advance(1000);
  return { world, ref };
}

test.each(["send", "steer", "context"] as Mode[])(
  "%s: a disk that is full when Codex answers costs neither the receipt nor the text",
  async (mode) => {
    const clock = patientClock();
    const { store, failNext } = brittle();
    const { world, ref } = await begun(clock, store);
    const { core } = world.engine;
    const lane = core.resolve(ref, null);
    if (mode === "steer") {
      void core.send(lane, { ...plain, text: '[{"wait":"go"},{"say":"over"}]' }, signal);
      await clock.advance(6000);
    }
    const verb = verbs[mode as keyof typeof verbs];
    const ask = world.agent[verb].bind(world.agent) as (given: never) => Promise<never>;
    Object.assign(world.agent, {
      async [verb](given: never) {
        const answer = await ask(given);
        failNext(1);
        return answer;
      },
    });
    const sent = core.send(lane, { ...plain, mode, text: "hello" }, signal);
    await clock.advance(10_000);
    const { receipt } = await sent;
    world.agent.release("go");
    await clock.advance(120_000);
    expect(core.receipt(receipt)).toMatchObject({ state: "done", error: null, attempt: 1 });
    await world.end();
  },
);

test("an end of Codex that could not be stored is made up for when the next one is born", async () => {
  const clock = patientClock();
  const { store, failNext } = brittle();
  const { world, ref } = await begun(clock, store);
  const { core } = world.engine;
  void core.send(core.resolve(ref, null), { ...plain, text: '[{"ask":"rm -rf /"}]' }, signal);
  await clock.advance(1000);
  expect(core.requests({ ref: null, all: false, limit: 10 })).toHaveLength(1);
  failNext(1);
  expect(() => world.agent.kill()).toThrow("the disk is full");
  await clock.advance(1000);
  world.agent.up();
  await clock.advance(10_000);
  expect(store.epochs.unended()).toHaveLength(1);
  expect(core.requests({ ref: null, all: false, limit: 10 })).toHaveLength(0);
  expect(core.view(core.resolve(ref, null))).toMatchObject({ latest_turn: { status: "interrupted" } });
  await world.end();
});

test("a text steered into a thread that was opened under its turn is found, though nobody told of it", async () => {
  const clock = patientClock();
  const { store } = brittle();
  const { world, ref } = await begun(clock, store);
  const { core } = world.engine;
  const lane = core.resolve(ref, null);
  void core.send(lane, { ...plain, text: '[{"wait":"go"},{"say":"over"}]' }, signal);
  await clock.advance(6000);
  // As after a disk that was full: what runs is opened anew, and its newest turn is the one that runs.
  world.live.drop(core.view(lane).id!);
  world.agent.swallow("item_completed");
  const sent = core.send(lane, { ...plain, mode: "steer", text: "also" }, signal);
  await clock.advance(1000);
  world.agent.release("go");
  await clock.advance(10_000);
  const { receipt } = await sent;
  const thread = [...world.agent.threads.values()][0]!;
  const stands = thread.turns
    .flatMap(({ items }) => items)
    .filter((item) => item.client_id === receipt).length;
  expect({ stands, ...core.receipt(receipt) }).toMatchObject({
    stands: 1,
    state: "done",
    outcome: "completed",
  });
  await world.end();
});
