import { expect, test } from "bun:test";
import type { Core } from "../../src/core/core.ts";
import { authorise } from "../../src/daemon/authorise.ts";
import stop from "../../src/ops/daemon/stop.ts";

function reachOf(input: Record<string, unknown>, thread_id: string | null = "an agent"): string | undefined {
  let reach: string | undefined;
  const core: Pick<Core, "authorizeAgentCall"> = {
    authorizeAgentCall(wish) {
      reach = wish.reach;
    },
  };
  authorise(core as Core, { op: stop, input, caller: { kind: "cli", thread_id, cwd: "/" } });
  return reach;
}

test("an agent with a newer program may ask an idle daemon to make room, and none to stop", () => {
  expect(reachOf({ force: false, idle: true })).toBe("any");
  expect(reachOf({ force: false, idle: false })).toBe("created");
});

test("who calls is asked by core, and only when it matters", () => {
  const asked: (string | null)[] = [];
  const core: Pick<Core, "authorizeAgentCall"> = {
    authorizeAgentCall: (wish) => void asked.push(wish.agent()),
  };
  const caller = { kind: "cli", thread_id: null, cwd: "/" } as const;
  authorise(core as Core, { op: stop, input: { force: true, idle: false }, caller });
  expect(asked).toEqual([null]);
});
