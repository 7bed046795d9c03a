/** Whose triggers, subscriptions and inboxes an agent may manage: its own, and those of threads that it created. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import { index } from "../../src/ops/index.ts";
import type { DaemonOp } from "../../src/ops/op.ts";
import { create } from "../world/given.ts";
import { cli, testWorld } from "../world/world.ts";

async function run(
  world: ReturnType<typeof testWorld>,
  name: string,
  input: Record<string, unknown>,
  agent: string | null,
): Promise<string> {
  const op = (await index.find((row) => row.name === name)!.load()).default as DaemonOp;
  try {
    await op.run(v.parse(op.input, input), world.ctx({ caller: { ...cli, thread_id: agent } }));
    return "ok";
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
}

test("an agent manages what acts on itself and on what it created, and nothing of others", async () => {
  const world = testWorld();
  world.engine.begin();
  world.agent.up();
  const { core } = world.engine;
  const [own, theirs] = [(await create(world, "own")).ref, (await create(world, "theirs")).ref];
  const agent = core.view(own).id!;
  const every = (thread: Ref | string) => ({
    name: `of ${thread}`,
    thread,
    when: "interval",
    seconds: 60,
    action: "queue",
    text: "go on",
  });
  expect(await run(world, "trigger.add", every("self"), agent)).toBe("ok");
  expect(await run(world, "trigger.add", every(theirs), agent)).toBe("denied");
  const making = { name: "new ones", when: "interval", seconds: 60, action: "new", text: "x" };
  expect(await run(world, "trigger.add", making, agent)).toBe("denied");
  expect(await run(world, "trigger.add", every(theirs), null)).toBe("ok");
  for (const verb of ["pause", "resume", "rm"]) {
    expect(await run(world, `trigger.${verb}`, { trigger: `of ${theirs}` }, agent)).toBe("denied");
    expect(await run(world, `trigger.${verb}`, { trigger: "of self" }, agent)).toBe("ok");
  }
  expect(await run(world, "subscription.add", { threads: [theirs] }, agent)).toBe("ok");
  expect(await run(world, "subscription.add", { threads: [own], to: theirs }, agent)).toBe("denied");
  const { id } = core.subscribe({
    of: [own],
    conditions: ["failed"],
    to: theirs,
    deliver: "queue",
    all: false,
    once: true,
    tail: 1,
    caller: "cli",
  });
  expect(await run(world, "subscription.rm", { id }, agent)).toBe("denied");
  // Also one that a long list does not show any more.
  const { list } = world.store.automations;
  world.store.automations.list = () => [];
  expect(await run(world, "subscription.rm", { id }, agent)).toBe("denied");
  world.store.automations.list = list;
  const mine = core.postInbox({ lane: own, sender: "cli", text: "for you" }).id;
  const persons = core.postInbox({ lane: null, sender: "cli", text: "for the person" }).id;
  expect(await run(world, "inbox.ack", { ids: [persons] }, agent)).toBe("denied");
  expect(await run(world, "inbox.ack", { ids: [mine] }, agent)).toBe("ok");
  await world.end();
});
