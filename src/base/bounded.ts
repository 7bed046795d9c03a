/** Files that somebody else may have put there, read at once: one that never ends must not stop the daemon. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { fail } from "./error.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

/** Throws `usage`: no regular file, or over `max` bytes; else what the system says. */
export function readBounded(path: string, max: number): Buffer {
  // Non-blocking: to open a pipe waits for somebody who writes to it.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) fail("usage", `${path} is no regular file`);
    const bytes = readUpTo(fd, max + 1);
    if (bytes.length > max)
      fail("usage", `${path} is over ${max % MiB === 0 ? `${max / MiB} MiB` : `${max / KiB} KiB`}`);
    return bytes;
  } finally {
    closeSync(fd);
  }
}

/** The first bytes of an open file. Counted and not asked for: it may grow, and the files of /proc have no size. */
export function readUpTo(fd: number, bytesMax: number): Buffer {
  let bytes = Buffer.alloc(Math.min(bytesMax, 16 * KiB));
  let length = 0;
  while (length < bytesMax) {
    if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(bytesMax, 2 * length));
    const got = readSync(fd, bytes, length, bytes.length - length, null);
    if (got === 0) break;
    length += got;
  }
  return bytes.subarray(0, length);
}
