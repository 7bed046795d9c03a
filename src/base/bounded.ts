/** Reads files that somebody else may have created, with a limit: a file without an end must not stop the daemon. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { fail } from "./error.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

/** Throws `usage` when it is not a regular file or over `max` bytes, else the error of the system. */
export function readBounded(path: string, max: number): Buffer {
  // Non-blocking: opening a pipe would wait for a writer.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) fail("usage", `${path} is not a regular file`);
    const bytes = readUpTo(fd, max + 1);
    if (bytes.length > max)
      fail("usage", `${path} is over ${max % MiB === 0 ? `${max / MiB} MiB` : `${max / KiB} KiB`}`);
    return bytes;
  } finally {
    closeSync(fd);
  }
}

/** The first bytes of an open file. It does not use the file's size: a file may grow, and files in /proc have none. */
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
