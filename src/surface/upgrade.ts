/**
 * Replaces a daemon of an older version that rejected this program's schema of an op (`stale`). If the daemon is idle,
 * this client stops it, so that the next connect starts a daemon of this version. The daemon checks the schema before
 * it runs anything, so the command still runs only once.
 *
 * Only a newer version replaces an older one: otherwise two installed versions would replace each other for ever. Of two
 * builds of one version neither is newer, so the user has to choose.
 */
import { systemClock } from "../base/clock.ts";
import { DispatchError } from "../base/error.ts";
import { identityOf, isAlive } from "../base/identity.ts";
import { limits } from "../base/limits.ts";
import { isNewer, version } from "../base/version.ts";
import type { IndexRow } from "../ops/op.ts";
import type { Caller } from "../ops/protocol.ts";
import { mayNotStart } from "./autostart.ts";
import type { LocalOptions } from "./route.ts";
import type { Connection } from "./wire.ts";

const restart = "dispatch down && dispatch up";

/** Resolves when the older daemon has exited. Throws `stale`, with the next step as its hint, if it has to stay. */
export async function replaceOutdatedDaemon(
  stale: DispatchError,
  connection: Connection,
  { paths, isStartForbidden, starting }: LocalOptions,
  { caller, start }: { caller: Caller; start: IndexRow["start"] },
): Promise<void> {
  const daemon = connection.daemon();
  if (!daemon) throw stale;
  const refuse = (message: string, hint: string) =>
    new DispatchError("stale", message, { hint, data: { version, daemon_version: daemon.version } });
  const older = `the daemon (${daemon.version}) is older than this dispatch (${version})`;
  if (isNewer(daemon.version, version))
    throw refuse(
      `this dispatch (${version}) is older than the daemon (${daemon.version})`,
      caller.kind === "mcp"
        ? "restart the program that started this MCP server, which then runs the newer dispatch"
        : "use the newer dispatch, or restart the daemon with this one: dispatch down && dispatch up",
    );
  if (!isNewer(version, daemon.version)) throw refuse(stale.message, restart);
  if (mayNotStart(paths, isStartForbidden || start === "never"))
    throw refuse(`${older}, and this command may not restart it`, restart);
  const who = identityOf(daemon.pid);
  starting?.(`restarting the daemon: ${daemon.version} is older than ${version}`);
  const answer = await connection.call({ op: "daemon.stop", schema: "", input: { idle: true }, caller });
  if ("error" in answer) {
    const isBusy = answer.error.code === "thread_busy";
    throw refuse(
      `${older} and cannot be restarted now: ${answer.error.message}`,
      isBusy ? "wait until that is over, or run: dispatch down --force && dispatch up" : restart,
    );
  }
  // Not earlier: other calls may wait on this connection.
  connection.close();
  const until = systemClock.monotonic() + limits.daemon.shutdownGraceMs + limits.daemon.shutdownCallsMs;
  while (who && isAlive(who)) {
    if (systemClock.monotonic() >= until)
      throw refuse(`${older} and does not exit`, "dispatch down --force && dispatch up");
    await systemClock.sleep(limits.client.autostartPollMs);
  }
}
