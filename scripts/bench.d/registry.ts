/** Registries with threads in them, made by the product itself over a model of Codex that answers at once. */
import { parse } from "valibot";
import { systemClock } from "../../src/base/clock.ts";
import type { Ref } from "../../src/core/ports/rows.ts";
import newThread from "../../src/ops/thread/new.ts";
import { openStore } from "../../src/store/store.ts";
import { type TestWorld, testWorld } from "../../test/world/world.ts";

/** Core on a registry file, synchronous FULL as the daemon opens it, and Codex up. */
export function worldOn(path: string): TestWorld {
  const world = testWorld({ store: openStore(path, systemClock.now()) });
  world.agent.up();
  return world;
}

export async function addThread(world: TestWorld, name: string): Promise<Ref> {
  const made = await newThread.run(parse(newThread.input, { name, cwd: "/repo" }), world.ctx());
  return made.ref as Ref;
}

/** A registry of idle threads, closed as a clean stop leaves it. `codexHome`: the Codex that it will be used with. */
export async function writeRegistry(path: string, threads: number, codexHome?: string): Promise<void> {
  const world = worldOn(path);
  for (let i = 0; i < threads; i++) await addThread(world, `thread ${i}`);
  world.agent.kill();
  if (codexHome) world.store.log.setCodexHome(codexHome);
  await world.end();
  world.store.close();
}
