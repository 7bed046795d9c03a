/**
 * The daemon of an older version, where this program and it disagree on what an operation takes: with nothing under
 * way it is asked to end, so that the next connect starts this program's own. The disagreement was told before
 * anything ran, so the command still runs once.
 *
 * Only the newer takes the place of the older: with two versions in use they would else take turns for ever. Of two
 * builds of one version neither is newer, and a person says which is to run.
 */
import { systemClock } from "../base/clock.ts";
import { DispatchError } from "../base/error.ts";
import { identityOf, isAlive } from "../base/identity.ts";
import { limits } from "../base/limits.ts";
import { isNewer, version } from "../base/version.ts";
import type { IndexRow } from "../ops/op.ts";
import type { Caller } from "../ops/protocol.ts";
import { mayNotStart } from "./autostart.ts";
import type { Connection } from "./client.ts";
import type { SessionOptions } from "./session.ts";

const restart = "dispatch down && dispatch up";

/** Resolves when the older daemon is gone. Throws `stale`, saying what is to be done, where it has to stay. */
export async function replaceOutdatedDaemon(
  stale: DispatchError,
  connection: Connection,
  { paths, isStartForbidden, starting }: SessionOptions,
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
      "use the newer dispatch; or, for this one: dispatch down && dispatch up",
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
      `${older} and is not restarted now: ${answer.error.message}`,
      isBusy ? "wait until that is over, or: dispatch down --force && dispatch up" : restart,
    );
  }
  // Not before: what else waits on this connection waits on.
  connection.close();
  const until = systemClock.monotonic() + limits.daemon.shutdownGraceMs + limits.daemon.shutdownCallsMs;
  while (who && isAlive(who)) {
    if (systemClock.monotonic() >= until)
      throw refuse(`${older} and does not end`, "dispatch down --force && dispatch up");
    await systemClock.sleep(limits.client.autostartPollMs);
  }
}
