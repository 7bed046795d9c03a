/** PATH, the home, its configuration, the place of the socket. */
import { accessSync, chmodSync, constants, realpathSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { directoryFault, isPlainFile, look, makeDirectory } from "../../base/directory.ts";
import { DispatchError, errorMessage } from "../../base/error.ts";
import { openLock, readLock } from "../../base/flock.ts";
import { limits } from "../../base/limits.ts";
import { type Paths, socketDir } from "../../base/paths.ts";
import { modeOf, ownUid, quoted } from "../../base/privacy.ts";
import { readConfig } from "../config.ts";
import { lengthFault, occupantFault, removeStaleSocket } from "../place.ts";
import { type Asked, bad, badOf, type Finding, type Mend, ok, skipped, warn } from "./check.ts";

/** Agents and scripts call `dispatch` by name. */
export function checkPath({ env }: Asked): Finding {
  const found = Bun.which("dispatch", { PATH: env["PATH"] ?? "" });
  if (found === null)
    return warn("dispatch is not on PATH: agents and scripts will not find it", {
      recovery: `export PATH="${dirname(process.execPath)}:$PATH"`,
    });
  const data = { path: found, executable: process.execPath };
  const isOther = realpathSync(found) !== realpathSync(process.execPath);
  return ok(found, { data, ...(isOther ? { detail: `this one is ${process.execPath}` } : {}) });
}

export function checkHome({ paths }: Asked): Finding {
  const { home } = paths;
  if (look(home) === undefined) return skipped(`${home} is not there yet`, { recovery: "dispatch up" });
  const wrong = directory(home) ?? unwritable(home) ?? oddFiles(paths);
  if (wrong) return wrong;
  const free = freeBytes(home);
  const data = { path: home, mode: modeOf(look(home)!), free_bytes: free };
  if (free < limits.doctor.diskFreeBytesMin)
    return warn(`${home} has ${Math.floor(free / 1e6)} MB of disk left: soon nothing will be accepted`, {
      recovery: "free some disk space",
      data,
    });
  return ok(home, { data });
}

/** A broken configuration fails what needs it, and is found here. */
export function checkConfig({ paths }: Asked): Finding {
  if (look(paths.config) === undefined) return ok("none: the defaults");
  return ok(paths.config, { data: { ...readConfig(paths.config) } });
}

export function checkSocket({ paths }: Asked): Finding {
  const { socket } = paths;
  const tooLong = lengthFault(socket);
  if (tooLong) return badOf(tooLong);
  if (look(socketDir(paths)) === undefined)
    return skipped(`${socket} is not there yet`, { recovery: "dispatch up" });
  const wrong = directory(socketDir(paths));
  if (wrong) return wrong;
  const occupant = occupantFault(socket);
  if (occupant) return badOf(occupant);
  const found = look(socket);
  if (found === undefined) return ok(`no daemon listens on ${socket}`);
  if (!readLock(paths.lock).held)
    return warn(`${socket} was left by a daemon that did not end well`, {
      detail: "the next daemon removes it",
      recovery: "dispatch doctor --fix",
      mend: () => removeStale(paths),
    });
  return private_(socket, "socket") ?? ok(socket, { data: { path: socket, mode: modeOf(found) } });
}

/** Undefined when it is one, ours, and ours alone. Only a mode can be put right without knowing what it is for. */
function directory(path: string): Finding | undefined {
  const fault = directoryFault(path);
  if (!fault) return undefined;
  const mode = fault.data?.["mode"];
  return badOf(fault, mode === undefined ? undefined : () => chmod(path, 0o700));
}

/** Undefined when nobody else can reach it. Not asked of what is not ours: a link, another user's. */
export function private_(path: string, what: "socket" | "file"): Finding | undefined {
  const found = look(path);
  const isOurs = (what === "socket" ? found?.isSocket() : found?.isFile()) && found?.uid === ownUid();
  if (!found || !isOurs || (found.mode & 0o077) === 0) return undefined;
  return bad(`other users can reach ${path} (mode ${modeOf(found)})`, {
    recovery: `chmod 600 ${quoted(path)}`,
    data: { path, mode: modeOf(found) },
    mend: () => chmod(path, 0o600),
  });
}

/** Where a directory must be that is not: making it loses nothing. */
export function missingDirectory(path: string, what: string): Finding | undefined {
  if (look(path) !== undefined) return undefined;
  const mend: Mend = () => {
    const wrong = makeDirectory(path);
    if (wrong) throw wrong;
    return `made ${path}`;
  };
  return bad(`${path}, where ${what} belongs, is not there`, {
    recovery: `mkdir -p -m 700 ${quoted(path)}`,
    mend,
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

/** What a daemon or a client opens there, and is something else: somebody put it there, so it stays. */
function oddFiles({ log, lock, startLock, stopped }: Paths): Finding | undefined {
  const odd = [log, lock, startLock, stopped].find((path) => look(path) !== undefined && !isPlainFile(path));
  return odd === undefined
    ? undefined
    : badOf(
        new DispatchError("usage", `${odd} is no file, and dispatch keeps one there`, {
          hint: "move it away",
        }),
      );
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

function chmod(path: string, mode: number): string {
  const was = modeOf(look(path)!);
  chmodSync(path, mode);
  return `the mode of ${path} was ${was} and is ${modeOf(look(path)!)}`;
}

/** Held while the socket goes: nobody listens on it, and nobody begins to meanwhile. */
function removeStale({ socket, lock: path }: Paths): string {
  const lock = openLock(path);
  if (!lock) throw new DispatchError("conflict", "a daemon has just started");
  try {
    removeStaleSocket(socket);
    return `removed ${socket}, which nobody listens on`;
  } finally {
    lock.release();
  }
}
