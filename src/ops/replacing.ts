/** `up --replace`: ends the running daemon when its work has ended, so that one of this program takes over. */
import { DispatchError, fail } from "../base/error.ts";
import { programState } from "../base/identity.ts";
import { limits } from "../base/limits.ts";
import { isNewer, version } from "../base/version.ts";
import type { ClientCtx } from "./ctx.ts";

export interface Replaced {
  pid: number;
  version: string;
}

/**
 * Null when no daemon runs, or one of this very program. Throws `stale` for a newer daemon, and `timeout` with what it
 * waited for.
 */
export async function endForReplacement(
  ctx: Pick<ClientCtx, "call" | "clock" | "gone" | "note" | "signal">,
  { force, timeoutMs }: { force: boolean; timeoutMs: number },
): Promise<Replaced | null> {
  const found = await statusOf(ctx);
  if (found === null) return null;
  const { pid } = found;
  if (isNewer(found.version, version))
    fail("stale", `the daemon (${found.version}) is newer than this dispatch (${version})`, {
      hint: "install the newer dispatch, or go back by hand: dispatch down, then dispatch registry restore FILE",
      data: { version, daemon_version: found.version },
    });
  if (found.version === version && programState(pid) === "same") return null;
  const until = ctx.clock.monotonic() + timeoutMs;
  for (let shown = ""; ; ) {
    const reason = await stopped(ctx, force ? { force } : { idle: true, handover: true });
    if (reason === null) break;
    if (reason !== shown) ctx.note(`waiting: ${reason}`);
    shown = reason;
    if (ctx.clock.monotonic() >= until)
      fail("timeout", `the daemon (${found.version}, pid ${pid}) still has work: ${reason}`, {
        hint: "dispatch up --replace --timeout 3600, or dispatch up --replace --force",
      });
    await ctx.clock.sleep(limits.client.replacePollMs, ctx.signal);
  }
  if (!(await ctx.gone(limits.daemon.shutdownGraceMs + limits.daemon.shutdownCallsMs)))
    fail("timeout", `the daemon ${pid} has not exited`, { hint: "dispatch daemon status" });
  return found;
}

async function statusOf(ctx: Pick<ClientCtx, "call">): Promise<Replaced | null> {
  try {
    const { pid, version } = await ctx.call("daemon.status", {});
    return { pid: Number(pid), version: String(version) };
  } catch (thrown) {
    if (thrown instanceof DispatchError && thrown.code === "daemon_down") return null;
    throw thrown;
  }
}

/** Null when the daemon stops now. Else what keeps it. */
async function stopped(ctx: Pick<ClientCtx, "call">, input: Record<string, boolean>): Promise<string | null> {
  try {
    await ctx.call("daemon.stop", input);
    return null;
  } catch (thrown) {
    if (!(thrown instanceof DispatchError)) throw thrown;
    // An older daemon knows no handover: turns that wait go on starting.
    if (thrown.code === "usage" && input["handover"]) return stopped(ctx, { idle: true });
    // It ended by itself.
    if (thrown.code === "daemon_down" || thrown.code === "unsure") return null;
    if (thrown.code !== "thread_busy") throw thrown;
    return thrown.message;
  }
}
