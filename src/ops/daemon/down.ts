import * as v from "valibot";
import { DispatchError, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { flag, seconds } from "../fields.ts";
import { clientOp } from "../op.ts";

export default clientOp({
  name: "daemon.down",
  cli: "down",
  group: "daemon",
  summary: "Stop the daemon, until dispatch up",
  at: "client",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({
    force: v.optional(flag(v.boolean(), "also while turns run: they are cut"), false),
    wait: v.optional(
      seconds("how long to wait until the process is gone"),
      limits.shutdownGraceMs / 1000 + 5,
    ),
  }),
  output: v.object({ status: v.picklist(["stopped", "not_running"]), pid: v.nullable(v.number()) }),
  fails: ["lane_busy", "timeout", "denied"],
  examples: [],
  async run({ force, wait }, ctx) {
    const pid = await ask(ctx, force);
    if (pid === null && (await ctx.gone(0))) {
      ctx.markStopped();
      return { status: "not_running" as const, pid: null };
    }
    if (!(await ctx.gone(wait * 1000))) {
      fail("timeout", `the daemon ${pid ?? ""} was asked to stop and has not ended after ${wait} s`, {
        hint: "dispatch daemon status",
      });
    }
    ctx.markStopped();
    return { status: "stopped" as const, pid };
  },
  view: ({ status, pid }) =>
    status === "stopped" ? `stopped ${pid ?? ""}; dispatch up starts it again` : "no daemon runs",
});

async function ask(
  ctx: { call(op: string, input: Record<string, unknown>): Promise<Record<string, unknown>> },
  force: boolean,
): Promise<number | null> {
  try {
    const { pid } = await ctx.call("daemon.stop", { force });
    return typeof pid === "number" ? pid : null;
  } catch (thrown) {
    if (thrown instanceof DispatchError && thrown.code === "daemon_down") return null;
    throw thrown;
  }
}
