/** What would cut a turn, or rewrite the history under a text, is refused, by what Codex says now. */
import { beforeEach, describe, expect, test } from "bun:test";
import { until } from "../../support/codex-sink.ts";
import type { TestWorld } from "../../world/world.ts";
import { macrotasks, never, type Rig, refusal, rig, waiting } from "../rig.ts";

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

describe("while a sub-agent works for a thread whose own turn is over", () => {
  const sub = "019e0000-0000-7000-8000-000000000001";
  const tell = async (agents: string[]) => {
    here.world.agent.tell({ kind: "agents_working", thread_id: here.view().id!, agents });
    await until("they are seen", () => here.view().agents.join() === agents.join());
  };
  beforeEach(() => tell([sub]));

  test.each<[what: string, end: (core: Core) => Promise<unknown>]>([
    ["archiving", (core) => core.archive({ ref: here.ref })],
    ["forgetting", (core) => core.forget(here.ref)],
    ["giving", (core) => core.give(here.ref)],
    ["opening", (core) => core.unload(here.ref)],
  ])("%s that thread is refused, and names the sub-agent and what ends it", async (what, end) => {
    const { core } = here.world.engine;
    const refused = await refusal(end(core));
    expect(refused).toMatchObject({
      code: "thread_busy",
      hint: `dispatch wait ${here.ref}; or dispatch stop ${here.ref}, which ends them`,
    });
    expect(refused.message).toContain(what);
    expect(refused.message).toContain(sub);
    await tell([]);
    await end(core);
  });

  test("archiving the thread of the sub-agent is refused, attached or not", async () => {
    const { core } = here.world.engine;
    const cut = () => refusal(core.archive({ threadId: sub }));
    expect(await cut()).toMatchObject({
      code: "thread_busy",
      message: `thread ${sub} is a sub-agent that works for ${here.ref}, and archiving it would cut it`,
    });
    const { ref } = await core.create(
      { name: "sub", text: "hello", goal: null, settings: { cwd: "/repo" }, key: null, created_by: "cli" },
      never(),
    );
    await until("it is over", () => core.view(ref).latest_turn?.status === "completed");
    await tell([core.view(ref).id!]);
    expect((await refusal(core.archive({ ref }))).code).toBe("thread_busy");
  });

  test("a revert and a compaction go on, since they cut nothing", async () => {
    const { core } = here.world.engine;
    await core.compact(here.ref);
    await until("it is over", () => here.view().latest_turn?.status === "completed");
    await here.reaches(await here.send("more"), "done");
    await core.revert(here.ref, 1);
    expect(here.view().agents).toEqual([sub]);
  });

  test("it still keeps the daemon after Codex closed and reopened the thread under it, as a revert does", () => {
    const { live, engine } = here.world;
    live.drop(here.view().id!);
    expect(engine.core.withAgents().map(({ ref }) => ref)).toEqual([here.ref]);
  });
});
