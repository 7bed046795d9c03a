/** Runs the daemon: take the instance lock, open the socket, compose, serve, shut down. */
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
import { removeOwn } from "../base/ownfile.ts";
import { type Paths, pathsOf } from "../base/paths.ts";
import { onUncaught } from "../base/signals.ts";
import { writeErr, writeOut } from "../base/stdio.ts";
import { toTerminal } from "../base/text.ts";
import { refuseUndecodedArguments } from "../base/undecoded.ts";
import { version } from "../base/version.ts";
import type { Core } from "../core/core.ts";
import type { ToolRunner } from "../core/model/ports/tool.ts";
import type { Host, Previous } from "../ops/ctx.ts";
import type { IndexRow } from "../ops/op.ts";
import { protocolVersion } from "../ops/protocol.ts";
import { daemonArgs, usage } from "./argv.ts";
import { authorise } from "./authorise.ts";
import { type Audited, type Call, type CallOptions, callsOf, type Tally } from "./call.ts";
import { type Control, openControl } from "./control.ts";
import { asError, exitAlreadyRunning, explain } from "./explain.ts";
import { farReads } from "./far.ts";
import { hostOf } from "./host.ts";
import { takeInstance } from "./instance.ts";
import { type Composed, shutDown } from "./shutdown.ts";
import { prepareSocketPath, removeStaleSocket } from "./socketfile.ts";
import { stopSwitch } from "./stop.ts";
import { adoptOrphans } from "./subreaper.ts";
import { toolRunner } from "./tools/runner.ts";

/** The modules that are loaded only when the daemon really runs. */
export interface DaemonModules {
  index: readonly IndexRow[];
  compose(input: {
    paths: Paths;
    log: Log;
    clock: Clock;
    env: Record<string, string | undefined>;
    host: Host;
    tools: ToolRunner;
  }): Promise<Composed & { core: Core; audit(call: Audited): void }>;
}

export interface Run {
  /** The words after the executable's name. */
  argv?: readonly string[];
  foreground?: boolean;
  /** A parameter for tests. */
  load?: () => Promise<DaemonModules>;
}

/** Resolves with the exit status. It never throws. */
export async function runDaemon({ argv = [], load = loadModules, ...options }: Run): Promise<number> {
  let lock: Lock | undefined;
  try {
    refuseUndecodedArguments(argv);
    const { home, ask, ...args } = daemonArgs(argv);
    const foreground = options.foreground ?? args.foreground;
    if (ask) {
      await writeOut(ask === "help" ? usage : `dispatchd ${version}\n`);
      return 0;
    }
    const paths = pathsOf(readEnv(), home);
    const wrong = makeDirectory(paths.home) ?? ownerFault(paths.home);
    if (wrong) throw wrong;
    prepareSocketPath(paths.socket);
    lock = await takeInstance(paths, systemClock);
    if (!lock) return await exitAlreadyRunning(paths, foreground);
    if (args.service) removeOwn(paths.stopped);
    return await serve(paths, foreground, load);
  } catch (thrown) {
    return await explain(thrown);
  } finally {
    lock?.release();
  }
}

async function loadModules(): Promise<DaemonModules> {
  const [{ index }, { compose }] = await Promise.all([import("../ops/index.ts"), import("./compose.ts")]);
  return { index, compose };
}

/** Runs with the instance lock held, until the shutdown is complete. Throws the error that prevented the start. */
async function serve(paths: Paths, foreground: boolean, load: Load): Promise<number> {
  const lastSeen = lastWritten(paths.log);
  const file = openLogFile({ path: paths.log, clock: systemClock });
  const log = faultLog(foreground ? await withTerminal(file) : file, systemClock);
  const clock = guardedClock(systemClock, log);
  const stop = stopSwitch(foreground, log);
  const endReaping = adoptOrphans(clock, log);
  // The last boundary. The daemon keeps running: the registry changes only in transactions, locks are always released,
  // and the state of a thread in memory is corrected by reading it again. To exit would interrupt the turns of all
  // threads because of one failure.
  const offUncaught = onUncaught((thrown) => log.error("uncaught error", { thrown }));
  const tally: Tally = { calls: 0 };
  const stopByOp = () => stop.request("requested by a client");
  const far = farReads({ config: paths.config, clock, log });
  let control: Control | undefined;
  let composed: Composed | undefined;
  try {
    const wasKilled = removeStaleSocket(paths.socket);
    if (wasKilled) log.info("removed the socket of a daemon that did not stop cleanly");
    const previous: Previous | null =
      lastSeen === null ? null : { is_clean: !wasKilled, last_seen_at: lastSeen };
    const host = hostOf(paths, clock, file, {
      stop: stopByOp,
      calls: () => tally.calls,
      faults: log.faults,
      previous,
      readFar: far.read,
    });
    // The socket opens before anything slow: early clients wait for their answer, or receive the error of the start.
    const call: Call = async (frame, signal, emit) => (await ready).call(frame, signal, emit);
    const hello = { version, protocol: protocolVersion, pid: host.pid };
    control = openControl({ path: paths.socket, hello, call, clock, log });
    const ready = compose(load, { paths, host, log, clock, tally });
    // On a stop during the start, the start gets some time to complete, and then everything is closed as usual.
    const tooLate = stop.requested.then(() => clock.sleep(limits.daemon.shutdownCallsMs));
    const first = await Promise.race([ready, tooLate, stop.forced]);
    if (first) {
      composed = first.composed;
      file.info("ready", { pid: host.pid, version, socket: paths.socket, ms: host.uptimeMs() });
      const line = `dispatchd ${version} ready, pid ${host.pid}, socket ${paths.socket}\n`;
      if (foreground) await writeErr(toTerminal(line, { color: false }));
      log.info("stopping", { why: await stop.requested });
    }
    const isClean = await Promise.race([
      shutDown({ control, composed, clock, log, why: stopping() }),
      stop.forced,
    ]);
    return isClean ? 0 : 1;
  } catch (thrown) {
    log.error("could not start", { thrown });
    if (control) await shutDown({ control, composed, clock, log, why: asError(thrown) });
    throw thrown;
  } finally {
    far.close();
    endReaping();
    stop.dispose();
    offUncaught();
    file.close();
  }
}

type Load = () => Promise<DaemonModules>;

async function compose(
  load: Load,
  given: { paths: Paths; host: Host; log: FaultLog; clock: Clock; tally: Tally },
) {
  const { paths, host, log, clock, tally } = given;
  const { index, compose } = await load();
  const { passedVariables } = await import("./config.ts");
  const calls = Promise.withResolvers<Call>();
  const tools = toolRunner(index, () => calls.promise);
  const env = daemonEnv(passedVariables(paths.config));
  const composed = await compose({ paths, log, clock, env, host, tools });
  const { core, audit } = composed;
  const ctxOf: CallOptions["ctxOf"] = (caller, signal, emit) => ({ core, host, clock, caller, signal, emit });
  const call = callsOf({ index, ctxOf, authorise: (call) => authorise(core, call), audit, log, tally });
  calls.resolve(call);
  return { composed, call };
}

function stopping(): DispatchError {
  return new DispatchError("daemon_down", "the daemon is stopping", { hint: "dispatch up" });
}

/** When the previous daemon wrote its last log line. Wall clock, ms; null when there was none. */
function lastWritten(log: string): number | null {
  const found = statSync(log, { throwIfNoEntry: false });
  return found && found.size > 0 ? Math.floor(found.mtimeMs) : null;
}

async function withTerminal(file: LogFile): Promise<Log> {
  const { openTerminalLog, teeLog } = await import("../base/logterminal.ts");
  return teeLog(file, await openTerminalLog());
}
