import * as v from "valibot";
import { DispatchError, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { ClientCtx } from "../ctx.ts";
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
      limits.daemon.shutdownGraceMs / 1000 + 5,
    ),
  }),
  output: v.object({ status: v.picklist(["stopped", "not_running"]), pid: v.nullable(v.number()) }),
  fails: ["thread_busy", "denied"],
  examples: [],
  async run({ force, wait }, ctx) {
    // Marked before it goes: a command in between would find no daemon and start one.
    ctx.markStopped();
    try {
      const pid = await ask(ctx, force);
      if (pid === null && (await ctx.gone(0))) return { status: "not_running" as const, pid: null };
      if (await ctx.gone(wait * 1000)) return { status: "stopped" as const, pid };
      fail("timeout", `the daemon ${pid ?? ""} was asked to stop and has not ended after ${wait} s`, {
        hint: "dispatch daemon status",
      });
    } catch (thrown) {
      if (!(thrown instanceof DispatchError && thrown.code === "timeout")) ctx.clearStopped();
      throw thrown;
    }
  },
  view: ({ status, pid }) =>
    status === "stopped" ? `stopped ${pid ?? ""}; dispatch up starts it again` : "no daemon runs",
});

type Asking = Pick<ClientCtx, "call" | "confirm">;

/** Null where no daemon answers. While turns run it goes on only when told to, or when a person says so. */
async function ask(ctx: Asking, force: boolean): Promise<number | null> {
  try {
    const { pid } = await ctx.call("daemon.stop", { force });
    return typeof pid === "number" ? pid : null;
  } catch (thrown) {
    if (!(thrown instanceof DispatchError)) throw thrown;
    // Without an answer, only the lock says whether it ends.
    if (thrown.code === "daemon_down" || thrown.code === "unsure") return null;
    if (thrown.code !== "thread_busy" || !(await ctx.confirm(`${thrown.message}. Cut it?`))) throw thrown;
    return ask(ctx, true);
  }
}
