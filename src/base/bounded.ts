/** Files that somebody else may have put there, read at once: one that never ends must not stop the daemon. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { fail } from "./error.ts";

const MiB = 1024 * 1024;

/** Throws `usage`: no regular file, or over `max` bytes; else what the system says. */
export function readBounded(path: string, max: number): Buffer {
  // Non-blocking: to open a pipe waits for somebody who writes to it.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) fail("usage", `${path} is no regular file`);
    // Counted and not asked for: it may grow, and the files of /proc have no size.
    const bytes = Buffer.alloc(max + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length <= max; length += got)
      got = readSync(fd, bytes, length, bytes.length - length, null);
    if (length > max)
      fail("usage", `${path} is over ${max % MiB === 0 ? `${max / MiB} MiB` : `${max / 1024} KiB`}`);
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}
