/**
 * The socket file: its directory must be closed to other users, and its path must be free. Existing files are checked
 * by lstat and reported by name. Only a stale socket is ever removed.
 */
import { chmodSync, type Stats, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { directoryFault, look, makeDirectory } from "../base/directory.ts";
import { DispatchError, errorMessage, fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";

/** Creates and checks the directory. Throws when `path` is something other than a socket. Changes no existing file. */
export function prepareSocketPath(path: string): void {
  const wrong =
    lengthFault(path) ?? makeDirectory(dirname(path)) ?? directoryFault(dirname(path)) ?? occupantFault(path);
  if (wrong) throw wrong;
}

export function lengthFault(path: string): DispatchError | undefined {
  const bytes = Buffer.byteLength(path);
  if (bytes <= limits.socket.pathBytesMax) return undefined;
  return new DispatchError(
    "usage",
    `the socket path has ${bytes} bytes, and the limit of the system is ${limits.socket.pathBytesMax}: ${path}`,
    { hint: "set DISPATCH_SOCKET to a shorter path in a directory of your own" },
  );
}

/** A file at the socket's path that is not a socket. It belongs to somebody, so it is never removed. */
export function occupantFault(path: string): DispatchError | undefined {
  const found = look(path);
  if (found === undefined || found.isSocket()) return undefined;
  return new DispatchError("usage", `${path} is ${kindOf(found)}, and the daemon's socket belongs there`, {
    hint: "move it away, or set DISPATCH_SOCKET to another path",
    data: { path },
  });
}

/** Only for the holder of the instance lock: then no daemon can be listening on it. True when there was a socket. */
export function removeStaleSocket(path: string): boolean {
  if (!look(path)?.isSocket()) return false;
  try {
    unlinkSync(path);
    return true;
  } catch (cause) {
    return fail("storage", `could not remove the stale socket ${path}: ${errorMessage(cause)}`, { cause });
  }
}

/** Called after `listen`: with the usual umask the kernel creates a socket with mode 0755 (measured). */
export function makeSocketPrivate(path: string): void {
  chmodSync(path, 0o600);
}

function kindOf(found: Stats): string {
  if (found.isFile()) return "a regular file";
  if (found.isDirectory()) return "a directory";
  return found.isSymbolicLink() ? "a symbolic link" : "not a socket";
}
