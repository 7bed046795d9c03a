/** Connects to the running daemon, or starts one. Of many clients at the same time, only one starts it. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { systemClock } from "../base/clock.ts";
import { type Detached, spawnDetached } from "../base/detach.ts";
import { makeDirectory, ownerFault } from "../base/directory.ts";
import { daemonEnv, readEnv } from "../base/env.ts";
import { DispatchError, type ErrorBody, fail } from "../base/error.ts";
import { type Lock, openLock, readLock } from "../base/flock.ts";
import { nameOf } from "../base/identity.ts";
import { instanceIn, otherSocket } from "../base/instance.ts";
import { limits } from "../base/limits.ts";
import type { Paths } from "../base/paths.ts";
import { connect } from "./client.ts";
import type { SurfaceDeps } from "./deps.ts";
import { whenSandboxed } from "./sandboxed.ts";
import type { Connection } from "./wire.ts";

export interface Started {
  connection: Connection;
  status: "started" | "already_running";
  /** When the daemon has exited again: the error that it wrote to its log. Undefined while it runs. */
  whyDied(): Promise<DispatchError | undefined>;
}

type StartOptions = Pick<SurfaceDeps, "daemonArgv" | "daemonVariables"> & {
  /** Starts the daemon as a service, if it is one. False: it is started here. */
  byService?: (() => Promise<boolean>) | undefined;
};

/**
 * Connects, or starts the daemon and connects. It does not check whether a start is allowed: `mayNotStart` does.
 * Throws `daemon_down` when no daemon answers within `limits.client.autostartWaitMs`, and the daemon's own error when
 * it exits at its start.
 */
export async function startDaemon(
  paths: Paths,
  { daemonArgv, daemonVariables, byService }: StartOptions,
): Promise<Started> {
  refuseForeignHome(paths);
  const until = systemClock.monotonic() + limits.client.autostartWaitMs;
  let lock: Lock | undefined;
  let child: Detached | undefined;
  let service = byService;
  const logBytes = sizeOf(paths.log);

  const found = (connection: Connection): Started => {
    const mine = child?.exited() === null ? child : undefined;
    const foundAt = systemClock.monotonic();
    // A daemon of another client wrote its error before its socket closed. Later lines of the log are not about
    // this start.
    const hasEnded = async () =>
      mine ? endsSoon(mine) : systemClock.monotonic() - foundAt < limits.client.startFailureMs;
    const whyDied = async () => ((await hasEnded()) ? errorLeft(paths.log, logBytes) : undefined);
    return { connection, status: mine ? "started" : "already_running", whyDied };
  };

  try {
    for (;;) {
      const connection = await connect(paths.socket);
      if (connection) return found(connection);
      if (!child) {
        // The holder of this lock starts the daemon. The others keep trying to connect, and one of them takes the
        // lock when the holder exits.
        lock ??= openLock(paths.startLock);
        const raced = lock && (await connect(paths.socket));
        if (raced) return found(raced);
        const ask = lock && service;
        if (ask) service = undefined;
        if (await ask?.()) continue;
        if (lock) {
          refuseOtherSocket(paths);
          child = spawnDetached(startable(daemonArgv), {
            logPath: paths.log,
            env: environmentOf(paths, await daemonVariables(paths)),
          });
        }
      } else if (child.exited() !== null && !readLock(paths.lock).held) {
        // It exited, and not because another daemon was first.
        throw whyEnded(paths.log, logBytes, child.exited());
      }
      if (systemClock.monotonic() >= until)
        return fail(
          "daemon_down",
          `the daemon did not answer within ${limits.client.autostartWaitMs / 1000} s`,
          {
            hint: `read ${paths.log}`,
          },
        );
      await systemClock.sleep(limits.client.autostartPollMs);
    }
  } finally {
    lock?.release();
  }
}

/** Throws `conflict` when the daemon of this home runs and listens elsewhere. */
function refuseOtherSocket(paths: Paths): void {
  const { held, text } = readLock(paths.lock);
  const holder = held ? instanceIn(text) : undefined;
  const other = holder && otherSocket(holder, paths.socket);
  if (other) throw other;
}

/**
 * A process that lives long, an MCP server, may run a file that an upgrade has removed, as Homebrew's does. Then it
 * starts what took its place: the daemon on PATH.
 */
function startable(argv: readonly string[]): readonly string[] {
  const [file] = argv as [string];
  if (existsSync(file)) return argv;
  const folders = (readEnv().PATH ?? "").split(":").filter((folder) => folder.startsWith("/"));
  const found = Bun.which("dispatchd", { PATH: folders.join(":") });
  if (found !== null) return [found];
  return fail("daemon_down", `${file} was removed, and no dispatchd is on PATH`, {
    hint: "install dispatch, and restart what runs this one",
  });
}

/** The daemon opens its socket before its registry, so it may fail after a client has connected. */
async function endsSoon(child: Detached): Promise<boolean> {
  const until = systemClock.monotonic() + limits.client.startFailureMs;
  while (child.exited() === null) {
    if (systemClock.monotonic() >= until) return false;
    await systemClock.sleep(limits.client.autostartPollMs);
  }
  return true;
}

/** The reason why this client may not start a daemon, or undefined when it may. */
export function mayNotStart(paths: Paths, isForbidden: boolean): DispatchError | undefined {
  const sandboxed = whenSandboxed();
  if (sandboxed) return sandboxed;
  const why =
    isForbidden || readEnv().DISPATCH_NO_START
      ? "no daemon runs, and this command may not start one"
      : undefined;
  const stopped = existsSync(paths.stopped) ? "the daemon was stopped" : undefined;
  const message = why ?? stopped;
  return message === undefined
    ? undefined
    : new DispatchError("daemon_down", message, { hint: "dispatch up" });
}

/** The daemon's working directory is `/`, so every path in its environment is absolute. */
function environmentOf(paths: Paths, variables: readonly string[]): Record<string, string> {
  const env = readEnv();
  return daemonEnv(variables, {
    DISPATCH_STARTED_BY: starter(),
    DISPATCH_HOME: paths.home,
    ...(env.DISPATCH_SOCKET ? { DISPATCH_SOCKET: paths.socket } : {}),
    ...(env.DISPATCH_DB ? { DISPATCH_DB: paths.db } : {}),
    ...(env.DISPATCH_CONFIG ? { DISPATCH_CONFIG: paths.config } : {}),
    PWD: process.cwd(),
  });
}

/** Creates the home directory if it is missing. Throws `denied` if it belongs to another user, before any write. */
export function refuseForeignHome({ home }: Paths): void {
  const wrong = makeDirectory(home) ?? ownerFault(home);
  if (wrong) throw wrong;
}

/** Which command starts the daemon, and from which program. Only its first word: the rest may be a private text. */
function starter(): string {
  const word = process.argv.slice(2).find((arg) => /^[a-z]+$/.test(arg)) ?? "";
  const above = nameOf(process.ppid);
  const under = above === undefined ? "" : ` under ${above} (pid ${process.ppid})`;
  return `dispatch${word === "" ? "" : ` ${word}`} (pid ${process.pid})${under}`;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function whyEnded(log: string, from: number, status: number | null): DispatchError {
  const last = linesSince(log, from)[0];
  return (
    errorLeft(log, from) ??
    new DispatchError("daemon_down", `the daemon exited at its start (status ${status}): ${last}`, {
      hint: `read ${log}`,
    })
  );
}

/** A daemon that cannot start writes its error, as JSON, in its last lines. One that was killed writes none. */
function errorLeft(log: string, from: number): DispatchError | undefined {
  return linesSince(log, from)
    .map(errorIn)
    .find((error) => error !== undefined);
}

/** Newest first. */
function linesSince(log: string, from: number): string[] {
  if (!existsSync(log)) return [];
  return readFileSync(log).subarray(from).toString("utf8").trim().split("\n").reverse();
}

function errorIn(line: string): DispatchError | undefined {
  if (!line.startsWith('{"error":')) return undefined;
  try {
    return DispatchError.fromBody((JSON.parse(line) as { error: ErrorBody }).error);
  } catch {
    // A crash cut the line.
    return undefined;
  }
}
