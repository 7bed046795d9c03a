/** `up --replace` beside an older daemon. */
import { expect, test } from "bun:test";
import { DispatchError } from "../../src/base/error.ts";
import { endForReplacement } from "../../src/ops/replacing.ts";
import { handClock } from "../support/codex-clock.ts";

test("a daemon that knows no handover is asked without it, and ended when it is idle", async () => {
  const asked: unknown[] = [];
  const ctx = {
    async call(op: string, input: Record<string, unknown>) {
      if (op === "daemon.status") return { pid: 1, version: "0.1.0" };
      asked.push(input);
      if (input["handover"]) throw new DispatchError("usage", "handover: unknown");
      return {};
    },
    clock: handClock(),
    gone: async () => true,
    note() {},
    signal: new AbortController().signal,
  };
  expect(await endForReplacement(ctx, { force: false, timeoutMs: 1000 })).toEqual({
    pid: 1,
    version: "0.1.0",
  });
  expect(asked).toEqual([{ idle: true, handover: true }, { idle: true }]);
});
