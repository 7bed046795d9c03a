/** What would cut a turn, or rewrite the history under a text, is refused, by what Codex says now. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { TestWorld } from "../../world/world.ts";
import { macrotasks, type Rig, refusal, rig, waiting } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
  await here.reaches(await here.send("hello"), "done");
});

type Core = TestWorld["engine"]["core"];

const cuts: [what: string, cut: (core: Core) => Promise<unknown>][] = [
  ["an archive", (core) => core.archive({ ref: here.ref })],
  ["a revert", (core) => core.revert(here.ref, 1)],
  ["a compaction", (core) => core.compact(here.ref)],
];

describe.each(cuts)("%s", (_, cut) => {
  const refused = async () => (await refusal(cut(here.world.engine.core))).code;

  test("is refused during a turn that no event reported", async () => {
    const { agent } = here.world;
    agent.swallow("thread_status");
    agent.swallow("turn_started");
    agent.intrude(here.view().id!);
    await macrotasks(20);
    expect(here.view().latest_turn?.status).toBe("completed");
    expect(await refused()).toBe("thread_busy");
    expect(agent.threads.get(here.view().id!)!.running).not.toBeNull();
  });

  test("is refused under a running turn", async () => {
    await here.reaches(await here.send(waiting), "delivered");
    expect(await refused()).toBe("thread_busy");
  });

  test("is refused while it is not settled what became of a text", async () => {
    here.world.agent.loseNextTurn();
    expect((await here.send("lost")).state).toBe("sent");
    expect(await refused()).toBe("thread_busy");
  });
});

test("a thread with a queue is not archived over it", async () => {
  const { core } = here.world.engine;
  await core.hold(here.ref);
  const receipt = await here.send("later", { mode: "queue" });
  expect((await refusal(core.archive({ ref: here.ref }))).code).toBe("thread_busy");
  expect(here.state(receipt)).toBe("queued");
});
