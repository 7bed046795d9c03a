import { expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  cpuMsOf,
  groupMembers,
  identityOf,
  isAlive,
  isGroupAlive,
  programState,
} from "../../src/base/identity.ts";
import { spawnGroup } from "../../src/base/spawn.ts";

const env = { PATH: process.env["PATH"] };
const sleeper = () => spawnGroup(["sleep", "60"], { env, cwd: "/" });

test("a running process has an identity, and is alive by it", async () => {
  const child = sleeper();
  const who = identityOf(child.pid)!;
  expect(who).toMatchObject({ pid: child.pid, group: child.pid, zombie: false });
  expect(who.start_time).toMatch(/^\d+$/);
  expect(isAlive(who)).toBe(true);
  expect(groupMembers(child.group)).toEqual([child.pid]);
  expect(isGroupAlive(who)).toBe(true);
  child.signal("SIGKILL");
  await child.exited;
  expect(identityOf(child.pid)).toBeUndefined();
  expect(isAlive(who)).toBe(false);
  expect(isGroupAlive(who)).toBe(false);
});

test("a pid that was given to another process is not the one that was recorded", () => {
  const me = identityOf(process.pid)!;
  const earlier = { ...me, start_time: "1" };
  expect(isAlive(me)).toBe(true);
  expect(isAlive(earlier)).toBe(false);
  expect(isGroupAlive(earlier)).toBe(false);
});

test("nothing of another boot is alive", () => {
  const me = identityOf(process.pid)!;
  expect(isAlive({ ...me, boot_id: "another" })).toBe(false);
  expect(isGroupAlive({ ...me, boot_id: "another" })).toBe(false);
});

test("a zombie is dead", async () => {
  // The shell becomes a sleep that never reaps the child it inherited; the child outlives the shell, which would.
  const parent = spawnGroup(["/bin/sh", "-c", "sleep 0.2 & echo $!; exec sleep 60"], { env, cwd: "/" });
  const { value } = await parent.stdout.getReader().read();
  const pid = Number(new TextDecoder().decode(value));
  const end = Date.now() + 5000;
  while (identityOf(pid)?.zombie !== true && Date.now() < end) await Bun.sleep(5);
  const who = identityOf(pid)!;
  expect(who.zombie).toBe(true);
  expect(isAlive(who)).toBe(false);
  expect(groupMembers(parent.group)).toEqual([parent.pid]);
  parent.signal("SIGKILL");
  await parent.exited;
});

test("a name with blanks and parentheses does not shift the fields", async () => {
  const { copyFileSync, mkdirSync, rmSync } = await import("node:fs");
  const folder = `${import.meta.dir}/../../.scratch/names-${process.pid}`;
  mkdirSync(folder, { recursive: true });
  copyFileSync("/bin/sleep", `${folder}/a) R 1 (b`);
  const child = spawnGroup([`${folder}/a) R 1 (b`, "60"], { env, cwd: "/" });
  expect(identityOf(child.pid)).toMatchObject({ group: child.pid, zombie: false });
  child.signal("SIGKILL");
  await child.exited;
  rmSync(folder, { recursive: true });
});

test("a group whose leader ended lives on in its members", async () => {
  const leader = spawnGroup(["/bin/sh", "-c", "sleep 60 & echo $!; exit 0"], { env, cwd: "/" });
  const who = identityOf(leader.pid)!;
  const { value } = await leader.stdout.getReader().read();
  await leader.exited;
  const member = Number(new TextDecoder().decode(value));
  expect(isAlive(who)).toBe(false);
  expect(isGroupAlive(who)).toBe(true);
  process.kill(member, "SIGKILL");
  const end = Date.now() + 5000;
  while (isGroupAlive(who) && Date.now() < end) await Bun.sleep(5);
  expect(isGroupAlive(who)).toBe(false);
});

test("what a process computes is counted; one that sleeps computes nothing, one that is gone is not there", async () => {
  const child = sleeper();
  const before = cpuMsOf(process.pid)!;
  for (const until = performance.now() + 200; performance.now() < until; );
  expect(cpuMsOf(process.pid)! - before).toBeGreaterThanOrEqual(50);
  expect(cpuMsOf(child.pid)).toBeLessThan(50);
  child.signal("SIGKILL");
  await child.exited;
  expect(cpuMsOf(child.pid)).toBeUndefined();
});

test("a program whose file is replaced or removed under it is told from one that is the same", async () => {
  const folder = mkdtempSync(join(tmpdir(), "program-"));
  const path = join(folder, "sleep");
  copyFileSync(Bun.which("sleep")!, path);
  const child = spawnGroup([path, "60"], { env, cwd: "/" });
  expect(programState(child.pid)).toBe("same");
  rmSync(path);
  expect(programState(child.pid)).toBe("removed");
  copyFileSync(Bun.which("sleep")!, path);
  expect(programState(child.pid)).toBe("replaced");
  child.signal("SIGKILL");
  await child.exited;
  expect(programState(child.pid)).toBe("same");
});
