import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DispatchError } from "../../src/base/error.ts";
import { openLock, readLock } from "../../src/base/flock.ts";
import { until } from "../daemon/rig.ts";

const source = new URL("../../src/base/flock.ts", import.meta.url).pathname;
const scratch = () => join(mkdtempSync(join(tmpdir(), "flock-")), "registry.db.lock");

/** A process that takes the lock, writes its pid into it, runs `then`, and says so on stdout. */
async function holder(path: string, then = "") {
  const code = `
    const { openLock } = await import(${JSON.stringify(source)});
    const lock = openLock(${JSON.stringify(path)});
    lock?.write(String(process.pid));
    ${then}
    console.log(lock ? "held" : "refused");
    await Bun.stdin.text();`;
  const child = Bun.spawn([process.execPath, "-e", code], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const said = child.stdout.getReader();
  const first = new TextDecoder().decode((await said.read()).value);
  return { child, first };
}

test("a second opener gets nothing while the first holds the lock, in this process and in another", async () => {
  const path = scratch();
  const lock = openLock(path)!;
  expect(openLock(path)).toBeUndefined();
  const other = await holder(path);
  expect(other.first).toContain("refused");
  other.child.kill("SIGKILL");
  await other.child.exited;
  lock.release();
  const again = openLock(path);
  expect(again).toBeDefined();
  again!.release();
});

test("kill -9 of the holder frees the lock even while its children live", async () => {
  const path = scratch();
  const spawnBothWays = `
    const { spawn } = await import("node:child_process");
    const a = Bun.spawn(["sleep", "60"], { stdio: ["ignore", "ignore", "ignore"], detached: true });
    const b = spawn("sleep", ["60"], { stdio: "ignore", detached: true });
    console.log(a.pid + " " + b.pid);`;
  const other = await holder(path, spawnBothWays);
  const pids = other.first.split("\n")[0]!.split(" ").map(Number);
  try {
    expect(readLock(path)).toEqual({ held: true, text: String(other.child.pid) });
    other.child.kill("SIGKILL");
    await other.child.exited;
    for (const pid of pids) expect(() => process.kill(pid, 0)).not.toThrow();
    // A child that is between fork and exec still has the file open for a moment.
    await until(() => readLock(path)?.held === false, "the lock is free");
    expect(readLock(path)).toEqual({ held: false, text: String(other.child.pid) });
    openLock(path)!.release();
  } finally {
    for (const pid of pids) process.kill(pid, "SIGKILL");
  }
});

test("the identity is replaced whole, and the file is 0600 and stays after release", () => {
  const path = scratch();
  const lock = openLock(path)!;
  lock.write("a long identity of an older daemon");
  lock.write("short");
  expect(readLock(path)).toEqual({ held: true, text: "short" });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  lock.release();
  expect(readLock(path)).toEqual({ held: false, text: "short" });
});

test("looking at a lock that was never made makes no file", () => {
  const path = scratch();
  expect(readLock(path)).toEqual({ held: false, text: "" });
  expect(() => statSync(path)).toThrow();
});

test("a lock file that cannot be opened is a storage error that names it", () => {
  const path = join(scratch(), "no such directory", "x.lock");
  let thrown: unknown;
  try {
    openLock(path);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(DispatchError);
  expect((thrown as DispatchError).code).toBe("storage");
  expect((thrown as DispatchError).message).toContain(path);
});

test("home directories with spaces and unicode work", () => {
  const home = mkdtempSync(join(tmpdir(), "flock höme 线 "));
  chmodSync(home, 0o700);
  const lock = openLock(join(home, "registry.db.lock"))!;
  expect(readLock(join(home, "registry.db.lock")).held).toBe(true);
  lock.release();
});
