/** A text that a hook of Codex refuses is refused once, in every mode; a hook that is slow is waited for. */

import { beforeEach, describe, expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import type { Receipt } from "../../../src/contract/receipt.ts";
import type { Mode } from "../../../src/contract/words.ts";
import { type Rig, rig, waiting } from "../rig.ts";

let here: Rig;
beforeEach(async () => {
  here = await rig();
});

const refused = '[{"refuse":"policy: not this prompt"}]';
const slow = '[{"hook":"hook"},{"say":"at last"}]';
const get = ({ receipt }: Receipt) => here.world.engine.core.receipt(receipt);

describe("a text that a hook refuses", () => {
  test.each(["send", "queue", "interject"] as const)("fails after one attempt of a %s", async (mode) => {
    const receipt = await here.send(refused, { mode });
    await here.reaches(receipt, "failed");
    expect(get(receipt)).toMatchObject({
      attempt: 1,
      error: {
        code: "agent",
        message: "not taken: a hook of Codex refused its text: policy: not this prompt",
      },
    });
    expect(here.world.agent.asked).toEqual([]);
    expect(here.kinds().filter((kind) => kind === "turn.completed")).toHaveLength(1);
  });

  test("fails as the first text of a thread", async () => {
    const settings = { cwd: "/repo", sandbox: "read-only" as const };
    const { receipt } = await here.world.engine.core.create(
      { name: "first", text: refused, goal: null, settings, key: null, created_by: "cli" },
      new AbortController().signal,
    );
    await here.reaches(receipt!, "failed");
    expect(get(receipt!).attempt).toBe(1);
  });

  test.each([false, true])(
    "as a steer ends the running turn, and says so (or_queue: %p)",
    async (or_queue) => {
      const running = await here.send(waiting);
      await here.reaches(running, "delivered");
      const steer = await here.send(refused, { mode: "steer", or_queue });
      await here.reaches(steer, "failed");
      expect(get(steer).error?.message).toBe(
        "not taken, and the running turn was ended: a hook of Codex refused its text: policy: not this prompt",
      );
      await here.reaches(running, "done");
      expect(here.view().latest_turn?.error?.message).toContain("policy: not this prompt");
    },
  );

  test("lets the next in the queue go, and releases no hold", async () => {
    const bad = await here.send('[{"fail":"no luck"}]');
    await here.reaches(bad, "done");
    const next = await here.send("next", { mode: "queue" });
    const receipt = await here.send(refused);
    await here.reaches(receipt, "failed");
    expect(here.state(next)).toBe("queued");
    here.world.engine.core.release(here.ref);
    await here.reaches(next, "done");
  });

  test("fails too when the end of the turn was not heard", async () => {
    here.world.agent.swallow("turn_completed");
    const receipt = await here.send(refused);
    for (let at = 0; at < 10; at++) await here.clock.advance(limits.loop.everyMs);
    await here.reaches(receipt, "failed");
    expect(get(receipt).attempt).toBe(1);
  });
});

describe("a slow hook", () => {
  test.each<Mode>(["send", "queue", "interject"])("puts a %s in no doubt", async (mode) => {
    const receipt = await here.send(slow, { mode });
    for (let at = 0; at < 40; at++) await here.clock.advance(limits.loop.everyMs);
    expect(get(receipt).state).toBe("sent");
    here.world.agent.release("hook");
    await here.reaches(receipt, "done");
  });

  test("does so too when Codex's answer was lost", async () => {
    here.world.agent.loseNextAnswer("startTurn");
    const receipt = await here.send(slow, { mode: "queue" });
    for (let at = 0; at < 40; at++) await here.clock.advance(limits.loop.everyMs);
    expect(get(receipt).state).toBe("claimed");
    here.world.agent.release("hook");
    await here.reaches(receipt, "done");
  });
});

test("attempts are bounded, whatever sends a message back", async () => {
  const { agent } = here.world;
  const refuseAll = () => {
    agent.refuseNext("startTurn", "overloaded");
    agent.beforeNext("startTurn", refuseAll);
  };
  refuseAll();
  const again = await here.send("again", { mode: "queue" });
  for (let at = 0; at < limits.message.attemptsMax * 3; at++)
    await here.clock.advance(limits.codex.backoffMaxMs + 1000);
  expect(here.world.engine.core.receipt(again.receipt)).toMatchObject({
    state: "failed",
    attempt: limits.message.attemptsMax,
    error: { message: `given up after ${limits.message.attemptsMax} attempts: refused: overloaded` },
  });
});
