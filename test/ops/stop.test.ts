/** What keeps a daemon that is only asked to stop when it is idle; a plain stop is kept by turns alone. */
import { afterEach, expect, test } from "bun:test";
import { parse } from "valibot";
import { DispatchError } from "../../src/base/error.ts";
import stop from "../../src/ops/daemon/stop.ts";
import { type Given, situations } from "../world/given.ts";

let given: Given | undefined;
afterEach(() => given?.world.end());

/** The refusal, or undefined where it stops; `calls` are under way for others. */
async function refusal(situation: string, input: object, calls = 0, change = (_: Given) => {}) {
  given = await situations[situation]!();
  change(given);
  let isStopped = false;
  const ctx = given.world.ctx();
  const host = {
    ...ctx.host,
    calls: () => calls,
    stop() {
      isStopped = true;
    },
  };
  try {
    await stop.run(parse(stop.input, input), { ...ctx, host });
    expect(isStopped).toBe(true);
    return undefined;
  } catch (thrown) {
    expect(isStopped).toBe(false);
    if (!(thrown instanceof DispatchError)) throw thrown;
    return { code: thrown.code, message: thrown.message, hint: thrown.hint };
  }
}

const goal = { objective: "ship", status: "active" } as never;
const hasGoal = ({ world }: Given) =>
  world.store.lanes.set(world.engine.core.resolve("@docs", null), { goal });

for (const [what, situation, calls, change, message] of [
  ["a running turn", "a running turn", 0, undefined, /^a turn runs: \w+ "docs"/],
  ["an open question", "an open request", 0, undefined, /a question is open/],
  ["a command that waits", "two threads", 1, undefined, /^another command waits for its answer$/],
  ["an active goal", "a finished turn", 0, hasGoal, /^a goal is active: \w+$/],
] as const)
  test(`${what} keeps a daemon that is to stop only when idle`, async () => {
    const refused = await refusal(situation, { idle: true }, calls, change);
    expect(refused?.code).toBe("thread_busy");
    expect(refused?.message).toMatch(message);
  });

test("the hint waits for the threads that run, by their refs", async () => {
  const { hint } = (await refusal("a running turn", {}))!;
  const { ref } = given!.world.engine.core.list({ archived: false, limit: 1 })[0]!;
  expect(hint).toBe(`dispatch wait ${ref}, or dispatch down --force`);
});

test("sub-agents that outlive their turn keep a daemon, and are named", async () => {
  const working = ({ world }: Given) => {
    const { core } = world.engine;
    const { id } = core.view(core.resolve("@docs", null));
    world.live.setAgents(id!, ["C", "D"]);
  };
  const refused = await refusal("a finished turn", {}, 0, working);
  const { ref } = given!.world.engine.core.list({ archived: false, limit: 1 })[0]!;
  expect(refused).toMatchObject({
    code: "thread_busy",
    message: `sub-agents work: 2 of ${ref} "docs"`,
    hint: `dispatch wait ${ref}, or dispatch down --force`,
  });
  expect(await refusal("a finished turn", { force: true }, 0, working)).toBeUndefined();
});

test("a goal that goes on between two turns keeps a daemon, also without idle", async () => {
  const refused = await refusal("a finished turn", {}, 0, hasGoal);
  const ref = given!.world.engine.core.resolve("@docs", null);
  expect(refused).toMatchObject({
    message: `a goal is active: ${ref}`,
    hint: `dispatch wait ${ref}, or dispatch down --force`,
  });
});

test("without idle neither a question nor a command that waits keeps it", async () => {
  expect(await refusal("two threads", {}, 3)).toBeUndefined();
});

test("what waits in a queue, and what is over, keep nothing", async () => {
  expect(await refusal("a held queue", { idle: true })).toBeUndefined();
  expect(await refusal("a finished turn", { idle: true })).toBeUndefined();
});

test("force stops it all the same", async () => {
  expect(await refusal("a running turn", { idle: true, force: true }, 2)).toBeUndefined();
});
