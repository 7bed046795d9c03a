/** A disk that is small, so that a test can fill it. */
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Disk {
  path: string;
  fill(): void;
  free(): void;
  readOnly(is: boolean): void;
  unmount(): void;
}

/** A small disk of our own. Undefined where that is not allowed. */
export function smallDisk(): Disk | undefined {
  const path = mkdtempSync(join(tmpdir(), "disk-"));
  const mount = (...args: string[]) => Bun.spawnSync(["mount", ...args], { stderr: "ignore" }).success;
  if (!mount("-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", path)) {
    rmSync(path, { recursive: true });
    return undefined;
  }
  const ballast = join(path, "ballast");
  return {
    path,
    fill() {
      const file = openSync(ballast, "a");
      try {
        for (const bytes of [65536, 4096, 1]) fillWith(file, Buffer.alloc(bytes));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(ballast, { force: true }),
    readOnly: (is) => {
      if (!mount("-o", `remount,${is ? "ro" : "rw"}`, path))
        throw new Error(`${path} could not be remounted`);
    },
    unmount() {
      Bun.spawnSync(["umount", "-l", path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

function fillWith(file: number, part: Buffer): void {
  try {
    while (writeSync(file, part) === part.length);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ENOSPC") throw thrown;
  }
}
