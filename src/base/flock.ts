/**
 * A file that one process holds at a time. The kernel frees it with the process, `kill -9` included, so nothing is
 * ever stale. The file is never unlinked or renamed: a second process could then lock another file of the same name.
 */
import { closeSync, constants, fstatSync, ftruncateSync, readSync, writeSync } from "node:fs";
import { fileFault, pathError } from "./directory.ts";
import { DispatchError, errorMessage, fail } from "./error.ts";
import { libcWithErrno } from "./libc.ts";
import { openOwn, openOwnOrFail } from "./ownfile.ts";

export interface Lock {
  fd: number;
  /** Replaces the text of the lock file: who holds it, for people and for `readLock`. */
  write(text: string): void;
  release(): void;
}

const exclusive = 2;
const nonBlocking = 4;
const unlock = 8;
const wouldBlock = process.platform === "darwin" ? 35 : 11;
const interrupted = 4;

/** Undefined when another process (or another open of this one) holds it. Never waits. */
export function openLock(path: string): Lock | undefined {
  // Close-on-exec: a child that inherited the descriptor would keep the lock after our death (tested).
  const fd = openOwnOrFail(path, constants.O_CREAT | constants.O_RDWR, "the lock file");
  if (!take(fd, path)) return undefined;
  return {
    fd,
    write(text) {
      try {
        ftruncateSync(fd, 0);
        writeSync(fd, text, 0);
      } catch (cause) {
        fail("storage", `could not write the lock file ${path}: ${errorMessage(cause)}`, { cause });
      }
    },
    release() {
      calls().flock(fd, unlock);
      closeSync(fd);
    },
  };
}

/**
 * Who holds the lock, by trying to take it: for an instant this is itself a holder, so the daemon
 * tries `limits.process.lockTries` times before it believes that another one has it.
 */
export function readLock(path: string): { held: boolean; text: string } {
  let fd: number;
  try {
    fd = openOwn(path, constants.O_RDONLY);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return { held: false, text: "" };
    if (cause instanceof DispatchError) throw cause;
    throw fileFault(path) ?? pathError(`open the lock file ${path}`, cause);
  }
  const text = readFrom(fd);
  if (!take(fd, path)) return { held: true, text };
  calls().flock(fd, unlock);
  closeSync(fd);
  return { held: false, text };
}

/** False, with the descriptor closed, when another holds it. */
function take(fd: number, path: string): boolean {
  const { flock, errno } = calls();
  for (;;) {
    if (flock(fd, exclusive | nonBlocking) === 0) return true;
    const code = errno();
    if (code === interrupted) continue;
    closeSync(fd);
    if (code === wouldBlock) return false;
    // NFS without a lock daemon, a full lock table: running unlocked would let two daemons share one registry.
    return fail("storage", `could not lock ${path} (errno ${code})`, {
      hint: "put DISPATCH_HOME on a local file system",
    });
  }
}

function readFrom(fd: number): string {
  const bytes = Buffer.alloc(Math.min(fstatSync(fd).size, 4096));
  return bytes.toString("utf8", 0, readSync(fd, bytes, 0, bytes.length, 0));
}

let opened: { flock(fd: number, operation: number): number; errno(): number } | undefined;

function calls() {
  if (opened) return opened;
  const { functions, errno } = libcWithErrno({ flock: { args: ["i32", "i32"], returns: "i32" } });
  opened = { flock: functions.flock, errno };
  return opened;
}
