/** Checks PATH, the home, the configuration and the socket. */
import { accessSync, chmodSync, constants, realpathSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { directoryFault, fileFault, isPlainFile, look, makeDirectory } from "../../base/directory.ts";
import { DispatchError, errorMessage } from "../../base/error.ts";
import { openLock, readLock } from "../../base/flock.ts";
import { limits } from "../../base/limits.ts";
import { type Paths, socketDir } from "../../base/paths.ts";
import { modeOf, ownUid, quoted } from "../../base/privacy.ts";
import { readConfig } from "../config.ts";
import { lengthFault, occupantFault, removeStaleSocket } from "../socketfile.ts";
import { bad, badOf, type CheckContext, type Finding, type Fix, ok, skipped, warn } from "./check.ts";

/** Agents and scripts call `dispatch` by name. */
export function checkPath({ env }: CheckContext): Finding {
  if (look(process.execPath) === undefined)
    return warn(`${process.execPath}, which this dispatch runs, was removed: an upgrade does that`, {
      recovery: "restart the program that started this dispatch",
    });
  const found = Bun.which("dispatch", { PATH: env["PATH"] ?? "" });
  if (found === null)
    return warn("dispatch is not on PATH: agents and scripts will not find it", {
      recovery: `export PATH="${dirname(process.execPath)}:$PATH"`,
    });
  const data = { path: found, executable: process.execPath };
  const isOther = realpathSync(found) !== realpathSync(process.execPath);
  return ok(found, { data, ...(isOther ? { detail: `this one is ${process.execPath}` } : {}) });
}

export function checkHome({ paths }: CheckContext): Finding {
  const { home } = paths;
  if (look(home) === undefined) return skipped(`${home} does not exist yet`, { recovery: "dispatch up" });
  const wrong = directory(home) ?? unwritable(home) ?? oddFiles(paths) ?? closedFiles(paths);
  if (wrong) return wrong;
  const free = freeBytes(home);
  const data = { path: home, mode: modeOf(look(home)!), free_bytes: free };
  if (free < limits.doctor.diskFreeBytesMin)
    return warn(
      `${home} has only ${Math.floor(free / 1e6)} MB of free disk space: messages may soon be refused`,
      {
        recovery: "free some disk space",
        data,
      },
    );
  return ok(home, { data });
}

/** Throws the error of a broken configuration, which `runChecks` reports. */
export function checkConfig({ paths }: CheckContext): Finding {
  if (look(paths.config) === undefined) return ok("none: the defaults apply");
  return ok(paths.config, { data: { ...readConfig(paths.config) } });
}

export function checkSocket({ paths }: CheckContext): Finding {
  const { socket } = paths;
  const tooLong = lengthFault(socket);
  if (tooLong) return badOf(tooLong);
  if (look(socketDir(paths)) === undefined)
    return skipped(`${socket} does not exist yet`, { recovery: "dispatch up" });
  const wrong = directory(socketDir(paths));
  if (wrong) return wrong;
  const occupant = occupantFault(socket);
  if (occupant) return badOf(occupant);
  const found = look(socket);
  if (found === undefined) return ok(`no daemon listens on ${socket}`);
  if (!readLock(paths.lock).held)
    return warn(`${socket} was left by a daemon that did not stop cleanly`, {
      detail: "the next daemon removes it",
      recovery: "dispatch doctor --fix",
      fix: () => removeStale(paths),
    });
  return openFault(socket, "socket") ?? ok(socket, { data: { path: socket, mode: modeOf(found) } });
}

/** Undefined for a directory that only this user can reach. Only a wrong mode has a safe fix. */
function directory(path: string): Finding | undefined {
  const fault = directoryFault(path);
  if (!fault) return undefined;
  const mode = fault.data?.["mode"];
  return badOf(fault, mode === undefined ? undefined : () => chmod(path, 0o700));
}

/** Undefined when no other user can reach it. Does not judge links and other users' files. */
export function openFault(path: string, what: "socket" | "file"): Finding | undefined {
  const found = look(path);
  const isOurs = (what === "socket" ? found?.isSocket() : found?.isFile()) && found?.uid === ownUid();
  if (!found || !isOurs || (found.mode & 0o077) === 0) return undefined;
  return bad(`other users can reach ${path} (mode ${modeOf(found)})`, {
    recovery: `chmod 600 ${quoted(path)}`,
    data: { path, mode: modeOf(found) },
    fix: () => chmod(path, 0o600),
  });
}

/** A required directory that does not exist. Its fix creates it, which cannot lose data. */
export function missingDirectory(path: string, what: string): Finding | undefined {
  if (look(path) !== undefined) return undefined;
  const fix: Fix = () => {
    const wrong = makeDirectory(path);
    if (wrong) throw wrong;
    return `created ${path}`;
  };
  return bad(`${path}, the folder of ${what}, does not exist`, {
    recovery: `mkdir -p -m 700 ${quoted(path)}`,
    fix,
  });
}

function unwritable(path: string): Finding | undefined {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (thrown) {
    return bad(`${path} cannot be written to: ${errorMessage(thrown)}`, {
      recovery: "set DISPATCH_HOME to a directory of your own",
    });
  }
}

/** A path where dispatch keeps a file, and which is something else. It belongs to somebody, so no fix removes it. */
function oddFiles({ log, lock, startLock, stopped }: Paths): Finding | undefined {
  const odd = [log, lock, startLock, stopped].find((path) => look(path) !== undefined && !isPlainFile(path));
  return odd === undefined
    ? undefined
    : badOf(
        new DispatchError("usage", `${odd} is not a regular file, and dispatch keeps one there`, {
          hint: "move it away",
        }),
      );
}

/** A file of dispatch that this user cannot open, such as one that `sudo dispatch` made. Only a wrong mode has a safe fix. */
function closedFiles({ log, lock, startLock }: Paths): Finding | undefined {
  for (const path of [log, lock, startLock]) {
    const fault = fileFault(path);
    if (fault) return badOf(fault, fault.data?.["mode"] === undefined ? undefined : () => chmod(path, 0o600));
  }
  return undefined;
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

function chmod(path: string, mode: number): string {
  const was = modeOf(look(path)!);
  chmodSync(path, mode);
  return `changed the mode of ${path} from ${was} to ${modeOf(look(path)!)}`;
}

/** Holds the instance lock, so that no daemon can start to listen on the socket meanwhile. */
function removeStale({ socket, lock: path }: Paths): string {
  const lock = openLock(path);
  if (!lock) throw new DispatchError("conflict", "a daemon has just started");
  try {
    removeStaleSocket(socket);
    return `removed ${socket}, on which nothing listens`;
  } finally {
    lock.release();
  }
}
