/**
 * Files of dispatch's own home. Each is a regular file: an open of a named pipe waits for a reader at the other end, and
 * what is written through a symbolic link goes where the link leads.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, rmSync } from "node:fs";
import { fileFault, pathError } from "./directory.ts";
import { DispatchError, fail } from "./error.ts";
import { quoted } from "./privacy.ts";

/** `constants` has no O_CLOEXEC in node's list. */
const closeOnExec = process.platform === "darwin" ? 0x1000000 : 0o2000000;

/** Never waits. Throws `usage` when it is not a regular file, else the error of the system (ENOENT, EACCES, ...). */
export function openOwn(path: string, flags: number): number {
  let fd: number;
  try {
    fd = openSync(path, flags | constants.O_NONBLOCK | constants.O_NOFOLLOW | closeOnExec, 0o600);
  } catch (cause) {
    refuseIrregular(path);
    throw cause;
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  return irregular(path);
}

/** As `openOwn`, but throws a `DispatchError` for each failure: `what` names the file in the user's nouns. */
export function openOwnOrFail(path: string, flags: number, what: string): number {
  try {
    return openOwn(path, flags);
  } catch (cause) {
    if (cause instanceof DispatchError) throw cause;
    throw fileFault(path) ?? pathError(`open ${what} ${path}`, cause);
  }
}

/** Throws `usage` when the path is not a regular file. For a file that another library opens. */
export function refuseIrregular(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isFile()) irregular(path);
}

/** When there is one. Throws `usage` for a directory, which dispatch did not make. */
export function removeOwn(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) irregular(path);
  rmSync(path, { force: true });
}

function irregular(path: string): never {
  fail("usage", `${path} is not a regular file, and dispatch keeps its own file there`, {
    hint: `mv ${quoted(path)} ${quoted(`${path}.away`)}`,
    data: { path },
  });
}
