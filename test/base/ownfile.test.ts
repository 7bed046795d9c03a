/** A named pipe, a link or a directory in place of a file of the home is refused at once, and never waited for. */
import { expect, test } from "bun:test";
import {
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { spawnDetached } from "../../src/base/detach.ts";
import { DispatchError } from "../../src/base/error.ts";
import { openLock, readLock } from "../../src/base/flock.ts";
import { lastLines, openLogFile } from "../../src/base/logfile.ts";
import { openOwn, removeOwn } from "../../src/base/ownfile.ts";
import { openToRead } from "../../src/store/db.ts";
import { openStore } from "../../src/store/store.ts";

const scratch = () => mkdtempSync(join(tmpdir(), "ownfile-"));

const things: Record<string, (path: string) => void> = {
  "a named pipe": (path) => void Bun.spawnSync(["mkfifo", path]),
  "a link to a file": (path) => {
    writeFileSync(`${path}.target`, "precious");
    symlinkSync(`${path}.target`, path);
  },
  "a link to nothing": (path) => symlinkSync(`${path}.none`, path),
  "a directory": (path) => mkdirSync(path),
  "a device": (path) => symlinkSync("/dev/zero", path),
};

/** Everything that opens a file of the home, by what it opens there. */
const openers: Record<string, (path: string) => unknown> = {
  "the instance lock": openLock,
  "a look at the lock": readLock,
  "the daemon's log": (path) => openLogFile({ path, clock: systemClock }),
  "a look at the log": (path) => lastLines(path, 1),
  "the log of a start": (path) => spawnDetached(["true"], { logPath: path, env: {} }),
  "the registry": (path) => openStore(path, 1),
  "a look at the registry": openToRead,
  "the registry's own log": (path) => openStore(path.replace(/-wal$/, ""), 1),
};

for (const [what, make] of Object.entries(things)) {
  for (const [opener, open] of Object.entries(openers)) {
    test(`${what} in place of ${opener} is refused`, () => {
      const path = join(scratch(), opener.endsWith("own log") ? "file-wal" : "file");
      make(path);
      // A link to nothing is no log to look at.
      if (opener === "a look at the log" && what === "a link to nothing")
        return expect(open(path)).toEqual([]);
      let thrown: unknown;
      try {
        open(path);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(DispatchError);
      expect((thrown as DispatchError).code).toBe("usage");
      expect((thrown as DispatchError).message).toContain(path);
      expect((thrown as DispatchError).hint).toContain("mv ");
      if (what === "a link to a file") expect(readFileSync(`${path}.target`, "utf8")).toBe("precious");
    });
  }
}

test("a file that is missing is the system's word, and a regular one is opened", () => {
  const path = join(scratch(), "file");
  expect(() => openOwn(path, constants.O_RDONLY)).toThrow("ENOENT");
  expect(openOwn(path, constants.O_CREAT | constants.O_RDWR)).toBeGreaterThan(2);
});

test("of what is in the place of a file, only a directory is not removed", () => {
  for (const [what, make] of Object.entries(things)) {
    const path = join(scratch(), "stopped");
    make(path);
    if (what === "a directory") {
      expect(() => removeOwn(path)).toThrow("is not a regular file");
      expect(existsSync(path)).toBe(true);
    } else {
      removeOwn(path);
      expect(readdirSync(join(path, ".."))).toEqual(what === "a link to a file" ? ["stopped.target"] : []);
    }
  }
  removeOwn(join(scratch(), "none"));
});
