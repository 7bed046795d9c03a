/** The situations that examples start from, each made through the product's own verbs. */

import type { Ref } from "../../src/core/ports/store.ts";
import type { Receipt } from "../../src/core/receipt.ts";
import { until } from "../support/codex-sink.ts";
import { cli, type TestWorld, testWorld } from "./world.ts";

export interface Given {
  world: TestWorld;
  /** What stands for itself in an example: `<request>`. */
  words: Record<string, string>;
}

export const situations: Record<string, () => Promise<Given>> = {
  nothing: async () => ({ world: begun(), words: {} }),
  async "Codex is down"() {
    const world = begun();
    await create(world, "docs");
    world.agent.kill();
    return { world, words: {} };
  },
  async "two threads"() {
    const world = begun();
    await create(world, "docs");
    await create(world, "reviewer");
    return { world, words: {} };
  },
  async "two threads of one title"() {
    const world = begun();
    const { ref } = await create(world, "twin");
    await create(world, "other");
    world.store.lanes.set(ref, { handle: null });
    const second = await create(world, "twin");
    world.store.lanes.set(second.ref, { handle: null });
    return { world, words: {} };
  },
  "a finished turn": () =>
    lane("hello", (world, ref) => world.engine.core.view(ref).latest_turn?.status === "completed"),
  "a failed turn": () =>
    lane('[{"fail":"no such luck"}]', (world, ref) => world.engine.core.view(ref).status === "error"),
  "a running turn": () =>
    lane(
      '[{"wait":"go"}]',
      (world, ref) =>
        world.engine.core.view(ref).latest_turn?.status === "in_progress" &&
        world.store.lanes.facts(ref)!.in_flight === 1 &&
        world.store.messages.open(ref)[0]?.state === "delivered",
    ),
  "an open request": asking,
  async "an answered request"() {
    const given = await asking();
    await given.world.engine.core.answer(given.words["<request>"]!, "approve", "cli");
    return given;
  },
};

function begun(): TestWorld {
  const world = testWorld();
  world.engine.begin();
  world.agent.up();
  return world;
}

export function create(
  world: TestWorld,
  name: string,
  text: string | null = null,
): Promise<{ ref: Ref; receipt: Receipt | null }> {
  const { signal } = new AbortController();
  return world.engine.core.create(
    { name, text, settings: { cwd: "/repo" }, key: null, created_by: cli.kind },
    signal,
  );
}

async function lane(text: string, holds: (world: TestWorld, ref: Ref) => boolean): Promise<Given> {
  const world = begun();
  const { ref } = await create(world, "docs", text);
  await until(`the situation of ${text}`, () => holds(world, ref));
  return { world, words: {} };
}

async function asking(): Promise<Given> {
  const given = await lane(
    '[{"ask":"touch x"},{"say":"done"}]',
    (world, ref) => world.engine.core.view(ref).status === "waiting",
  );
  const [request] = given.world.engine.core.requests({ ref: null, all: false, limit: 1 });
  given.words["<request>"] = request!.id;
  return given;
}
