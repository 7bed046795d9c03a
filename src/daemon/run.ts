/** The life of the daemon: take the place, open the socket, compose, serve, leave. */
import { statSync } from "node:fs";
import { type Clock, systemClock } from "../base/clock.ts";
import { makeDirectory, ownerFault } from "../base/directory.ts";
import { daemonEnv, readEnv } from "../base/env.ts";
import { DispatchError } from "../base/error.ts";
import { type FaultLog, faultLog, guardedClock } from "../base/faults.ts";
import type { Lock } from "../base/flock.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { type LogFile, openLogFile } from "../base/logfile.ts";
import { type Paths, pathsOf } from "../base/paths.ts";
import { onUncaught } from "../base/signals.ts";
import { writeErr, writeOut } from "../base/stdio.ts";
import { toTerminal } from "../base/text.ts";
import { version } from "../base/version.ts";
import type { Core } from "../core/core.ts";
import type { Host, Previous } from "../ops/ctx.ts";
import type { IndexRow } from "../ops/op.ts";
import { protocolVersion } from "../ops/protocol.ts";
import { daemonArgs, usage } from "./argv.ts";
import { authorise } from "./authorise.ts";
import { type Audited, type Call, type CallOptions, callsOf, type Tally } from "./call.ts";
import { type Control, openControl } from "./control.ts";
import { asError, explain, yieldPlace } from "./explain.ts";
import { hostOf } from "./host.ts";
import { takeInstance } from "./instance.ts";
import { adoptOrphans } from "./orphans.ts";
import { prepareSocketPlace, removeStaleSocket } from "./place.ts";
import { type Composed, shutDown } from "./shutdown.ts";
import { stopSwitch } from "./stop.ts";

export interface Parts {
  index: readonly IndexRow[];
  compose(input: {
    paths: Paths;
    log: Log;
    clock: Clock;
    env: Record<string, string | undefined>;
    host: Host;
  }): Promise<Composed & { core: Core; audit(call: Audited): void }>;
}

export interface Run {
  /** The words after the executable's name. */
  argv?: readonly string[];
  foreground?: boolean;
  /** A parameter for tests. */
  parts?: () => Promise<Parts>;
}

/** Resolves with the exit status; the only caller ends the process with it. */
export async function runDaemon({ argv = [], parts = installed, ...asked }: Run): Promise<number> {
  let lock: Lock | undefined;
  try {
    const { home, ask, ...args } = daemonArgs(argv);
    const foreground = asked.foreground ?? args.foreground;
    if (ask) return (await writeOut(ask === "help" ? usage : `dispatchd ${version}\n`)) ? 0 : 1;
    const paths = pathsOf(readEnv(), home);
    const wrong = makeDirectory(paths.home) ?? ownerFault(paths.home);
    if (wrong) throw wrong;
    prepareSocketPlace(paths.socket);
    lock = await takeInstance(paths, systemClock);
    if (!lock) return await yieldPlace(paths, foreground);
    return await live(paths, foreground, parts);
  } catch (thrown) {
    return await explain(thrown);
  } finally {
    lock?.release();
  }
}

async function installed(): Promise<Parts> {
  const [{ index }, { compose }] = await Promise.all([import("../ops/index.ts"), import("./compose.ts")]);
  return { index, compose };
}

/** From the lock to the last byte. Throws what kept it from starting. */
async function live(paths: Paths, foreground: boolean, parts: () => Promise<Parts>): Promise<number> {
  const lastSeen = lastWritten(paths.log);
  const file = openLogFile({ path: paths.log, clock: systemClock });
  const log = faultLog(foreground ? await withTerminal(file) : file, systemClock);
  const clock = guardedClock(systemClock, log);
  const stop = stopSwitch(foreground, log);
  const endReaping = adoptOrphans(clock, log);
  // The last boundary, for what passed all others. To go on is right: the registry changes by transactions only, the
  // locks are freed on every way out, and what is kept in memory of a thread is settled again by reading it. To stop
  // would cut the running turns of all threads for a failure of one.
  const offUncaught = onUncaught((thrown) => log.error("a failure that nobody caught", { thrown }));
  const tally: Tally = { calls: 0 };
  const stopped = () => stop.ask("asked to");
  let control: Control | undefined;
  let composed: Composed | undefined;
  try {
    const wasKilled = removeStaleSocket(paths.socket);
    if (wasKilled) log.info("removed the socket of a daemon that did not end well");
    const previous: Previous | null =
      lastSeen === null ? null : { is_clean: !wasKilled, last_seen_at: lastSeen };
    const host = hostOf(paths, clock, file, {
      stop: stopped,
      calls: () => tally.calls,
      faults: log.faults,
      previous,
    });
    // Open before anything slow: who connects now waits for the answer, and reads why when there will be none.
    const call: Call = async (...asked) => (await ready).call(...asked);
    const hello = { version, protocol: protocolVersion, pid: host.pid };
    control = openControl({ path: paths.socket, hello, call, clock, log });
    const ready = compose(parts, { paths, host, log, clock, tally });
    // Told to stop while it starts: what is half made is given a moment to be whole, and then closed as usual.
    const tooLate = stop.asked.then(() => clock.sleep(limits.daemon.shutdownCallsMs));
    const first = await Promise.race([ready, tooLate, stop.hurried]);
    if (first) {
      composed = first.composed;
      file.info("ready", { pid: host.pid, version, socket: paths.socket, ms: host.uptimeMs() });
      const line = `dispatchd ${version} ready, pid ${host.pid}, socket ${paths.socket}\n`;
      if (foreground) await writeErr(toTerminal(line, { color: false }));
      log.info("stopping", { why: await stop.asked });
    }
    const isClean = await Promise.race([
      shutDown({ control, composed, clock, log, why: stopping() }),
      stop.hurried,
    ]);
    return isClean ? 0 : 1;
  } catch (thrown) {
    log.error("could not start", { thrown });
    if (control) await shutDown({ control, composed, clock, log, why: asError(thrown) });
    throw thrown;
  } finally {
    endReaping();
    stop.dispose();
    offUncaught();
    file.close();
  }
}

async function compose(
  parts: () => Promise<Parts>,
  given: { paths: Paths; host: Host; log: FaultLog; clock: Clock; tally: Tally },
) {
  const { paths, host, log, clock, tally } = given;
  const { index, compose } = await parts();
  const { passedVariables } = await import("./config.ts");
  const composed = await compose({ paths, log, clock, env: daemonEnv(passedVariables(paths.config)), host });
  const { core, audit } = composed;
  const ctxOf: CallOptions["ctxOf"] = (caller, signal, emit) => ({ core, host, clock, caller, signal, emit });
  return {
    composed,
    call: callsOf({ index, ctxOf, authorise: (call) => authorise(core, call), audit, log, tally }),
  };
}

function stopping(): DispatchError {
  return new DispatchError("daemon_down", "the daemon is stopping", { hint: "dispatch up" });
}

/** When the daemon before wrote its last line; null when there was none. */
function lastWritten(log: string): number | null {
  const found = statSync(log, { throwIfNoEntry: false });
  return found && found.size > 0 ? Math.floor(found.mtimeMs) : null;
}

async function withTerminal(file: LogFile): Promise<Log> {
  const { openTerminalLog, teeLog } = await import("../base/logterminal.ts");
  return teeLog(file, await openTerminalLog());
}
