import * as v from "valibot";
import { DispatchError, fail } from "../../base/error.ts";
import { otherSocket } from "../../base/instance.ts";
import { limits } from "../../base/limits.ts";
import { paint } from "../../base/text.ts";
import type { ClientCtx } from "../ctx.ts";
import { flag, seconds } from "../fields.ts";
import { clientOp } from "../op.ts";

export default clientOp({
  name: "daemon.down",
  cli: "down",
  group: "daemon",
  task: "maintain",
  summary: "Stop the daemon until dispatch up",
  at: "client",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({
    force: v.optional(
      flag(v.boolean(), "also while turns run: it interrupts them; kills a daemon that does not exit"),
      false,
    ),
    wait: v.optional(
      seconds("how long to wait until the process has exited"),
      limits.daemon.shutdownGraceMs / 1000 + 5,
    ),
  }),
  output: v.object({ status: v.picklist(["stopped", "not_running"]), pid: v.nullable(v.number()) }),
  fails: ["thread_busy", "denied", "conflict"],
  examples: [],
  async run({ force, wait }, ctx) {
    // The marker comes first: otherwise another command could start a daemon in between.
    ctx.markStopped();
    try {
      const asked = await requestStop(ctx, force);
      if (asked === null && (await ctx.gone(0))) return { status: "not_running" as const, pid: null };
      const holder = ctx.holder();
      if (asked === null && holder?.command)
        fail("conflict", `no daemon runs: ${holder.command} (pid ${holder.pid}) works on the registry`, {
          hint: "wait until it has ended",
        });
      const other = asked === null && holder ? otherSocket(holder, ctx.paths.socket) : undefined;
      if (other) throw other;
      const pid = asked ?? holder?.pid ?? null;
      // Before it is killed, a daemon that has answered gets the time that its stop may take.
      const graceMs = force && asked !== null ? limits.daemon.shutdownGraceMs + limits.daemon.killedMs : 0;
      const waitMs = Math.max(wait * 1000, graceMs);
      if (await ctx.gone(waitMs)) return { status: "stopped" as const, pid };
      if (force && holder?.kill() && (await ctx.gone(limits.daemon.killedMs)))
        return { status: "stopped" as const, pid };
      const daemon = pid === null ? "the daemon" : `the daemon (pid ${pid})`;
      const what =
        asked === null ? "does not answer and has not exited" : "was asked to stop and has not exited";
      fail("timeout", `${daemon} ${what} within ${waitMs / 1000} s`, {
        hint: force ? "dispatch doctor" : "dispatch down --force",
      });
    } catch (thrown) {
      if (!(thrown instanceof DispatchError && thrown.code === "timeout")) ctx.clearStopped();
      throw thrown;
    }
  },
  view: ({ status, pid }) =>
    status === "stopped"
      ? `stopped ${pid ?? ""}; ${paint("bold", "dispatch up")} starts it again`
      : "no daemon runs",
});

/** Returns the daemon's pid, or null when no daemon answers. While turns run it needs `force` or a confirmation. */
async function requestStop(ctx: Pick<ClientCtx, "call" | "confirm">, force: boolean): Promise<number | null> {
  try {
    const { pid } = await ctx.call("daemon.stop", { force });
    return typeof pid === "number" ? pid : null;
  } catch (thrown) {
    if (!(thrown instanceof DispatchError)) throw thrown;
    // Without an answer, only the instance lock shows whether the daemon exits.
    if (thrown.code === "daemon_down" || thrown.code === "unsure") return null;
    if (thrown.code !== "thread_busy" || !(await ctx.confirm(`${thrown.message}. Interrupt it?`)))
      throw thrown;
    return requestStop(ctx, true);
  }
}
