/**
 * The place of the socket: a directory that nobody else can reach, and a path that is ours to use. What is found
 * there is judged by lstat and refused by name; only a stale socket is ever removed.
 */
import { chmodSync, type Stats, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { directoryFault, look, makeDirectory } from "../base/directory.ts";
import { DispatchError, errorMessage, fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";

/** Makes and checks the directory, and refuses whatever at `path` is no socket. Changes nothing that exists. */
export function prepareSocketPlace(path: string): void {
  const wrong =
    lengthFault(path) ?? makeDirectory(dirname(path)) ?? directoryFault(dirname(path)) ?? occupantFault(path);
  if (wrong) throw wrong;
}

export function lengthFault(path: string): DispatchError | undefined {
  const bytes = Buffer.byteLength(path);
  if (bytes <= limits.socket.pathBytesMax) return undefined;
  return new DispatchError(
    "usage",
    `the socket path is ${bytes} bytes long and the system takes ${limits.socket.pathBytesMax}: ${path}`,
    { hint: "set DISPATCH_SOCKET to a shorter path in a directory of your own" },
  );
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
    return fail("storage", `could not remove the stale socket ${path}: ${errorMessage(cause)}`, { cause });
  }
}

/** After listening: the kernel makes a socket 0755 under the usual umask (measured). */
export function makeSocketPrivate(path: string): void {
  chmodSync(path, 0o600);
}

function kindOf(found: Stats): string {
  if (found.isFile()) return "a regular file";
  if (found.isDirectory()) return "a directory";
  return found.isSymbolicLink() ? "a symbolic link" : "not a socket";
}
