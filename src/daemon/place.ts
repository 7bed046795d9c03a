/**
 * The place of the socket: a directory that nobody else can reach, and a path that is ours to use. What is found
 * there is judged by lstat and refused by name; only a stale socket is ever removed.
 */
import { chmodSync, lstatSync, mkdirSync, type Stats, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { DispatchError, fail, wordsOf } from "../base/error.ts";
import { limits } from "../base/limits.ts";

/** Makes and checks the directory, and refuses whatever at `path` is no socket. Changes nothing that exists. */
export function prepareSocketPlace(path: string): void {
  const wrong =
    lengthFault(path) ?? makeDirectory(dirname(path)) ?? directoryFault(dirname(path)) ?? occupantFault(path);
  if (wrong) throw wrong;
}

export function lengthFault(path: string): DispatchError | undefined {
  const bytes = Buffer.byteLength(path);
  if (bytes <= limits.socketPathBytesMax) return undefined;
  return new DispatchError(
    "usage",
    `the socket path is ${bytes} bytes long and the system takes ${limits.socketPathBytesMax}: ${path}`,
    { hint: "set DISPATCH_SOCKET to a shorter path in a directory of your own" },
  );
}

/** What is wrong with a directory that must be private, or undefined. */
export function directoryFault(directory: string, uid = process.getuid?.() ?? 0): DispatchError | undefined {
  const found = look(directory);
  const own = "set DISPATCH_HOME or DISPATCH_SOCKET to a directory of your own with mode 0700";
  if (found === undefined)
    return new DispatchError("not_found", `no such directory: ${directory}`, { hint: "dispatch up" });
  if (found.isSymbolicLink())
    return new DispatchError("denied", `${directory} is a symbolic link: what it points to can be changed`, {
      hint: "set DISPATCH_HOME to the directory that it points to",
    });
  if (!found.isDirectory())
    return new DispatchError("usage", `${directory} is not a directory`, { hint: own });
  if (found.uid !== uid)
    return new DispatchError("denied", `${directory} belongs to another user (uid ${found.uid})`, {
      hint: own,
    });
  if ((found.mode & 0o077) !== 0)
    return new DispatchError("denied", `other users can reach ${directory} (mode ${modeOf(found)})`, {
      hint: `chmod 700 ${quoted(directory)}`,
      data: { path: directory, mode: modeOf(found) },
    });
  return undefined;
}

/** What stands where the socket belongs and is none; it is somebody's file, so it is never removed. */
export function occupantFault(path: string): DispatchError | undefined {
  const found = look(path);
  if (found === undefined || found.isSocket()) return undefined;
  return new DispatchError("usage", `${path} is ${kindOf(found)}, and the daemon's socket belongs there`, {
    hint: "move it away, or set DISPATCH_SOCKET to another path",
    data: { path },
  });
}

/** Only under the instance lock: then no daemon can be listening on it. True when there was one. */
export function removeStaleSocket(path: string): boolean {
  if (!look(path)?.isSocket()) return false;
  try {
    unlinkSync(path);
    return true;
  } catch (cause) {
    return fail("storage", `could not remove the stale socket ${path}: ${wordsOf(cause)}`, { cause });
  }
}

/** After listening: the kernel makes a socket 0755 under the usual umask (measured). */
export function makeSocketPrivate(path: string): void {
  chmodSync(path, 0o600);
}

/** `mkdir -p` with 0700, for the home as well. */
export function makeDirectory(directory: string): DispatchError | undefined {
  if (look(directory) !== undefined) return undefined;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return undefined;
  } catch (cause) {
    return new DispatchError("storage", `could not make the directory ${directory}: ${wordsOf(cause)}`, {
      cause,
    });
  }
}

export function modeOf(found: Stats): string {
  return `0${(found.mode & 0o777).toString(8).padStart(3, "0")}`;
}

export function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    return fail("storage", `could not look at ${path}: ${wordsOf(cause)}`, { cause });
  }
}

export function isPlainFile(path: string): boolean {
  return look(path)?.isFile() ?? false;
}

function kindOf(found: Stats): string {
  if (found.isFile()) return "a regular file";
  if (found.isDirectory()) return "a directory";
  return found.isSymbolicLink() ? "a symbolic link" : "not a socket";
}

/** As a shell takes it. */
export function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
