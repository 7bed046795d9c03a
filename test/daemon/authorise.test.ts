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

test("of what a person calls nothing is asked", () => {
  expect(reachOf({ force: true, idle: false }, null)).toBeUndefined();
});
