import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { openLock } from "../../src/base/flock.ts";
import { type Paths, pathsOf } from "../../src/base/paths.ts";
import { openControl } from "../../src/daemon/control.ts";
import { registryOf } from "../../src/daemon/registry.ts";
import { supportedSchema } from "../../src/store/migrate.ts";
import { registryCalled, titleIn } from "../store/files.ts";
import { hello, memoryLog } from "./rig.ts";

let root: string;
let paths: Paths;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "registry it's "));
  paths = pathsOf({ DISPATCH_HOME: join(root, "home") });
});
afterEach(() => rmSync(root, { recursive: true }));

function made(title: string) {
  mkdirSync(paths.home, { mode: 0o700 });
  registryCalled(paths.db, title);
  return registryOf(paths);
}

test("where there is none, each says so, and makes nothing", async () => {
  const registry = registryOf(paths);
  const none = { code: "not_found", hint: "dispatch up" };
  await expect(registry.check()).rejects.toMatchObject(none);
  await expect(registry.backup(undefined)).rejects.toMatchObject(none);
  await expect(registry.migrate({ backup: true })).rejects.toMatchObject(none);
  expect(existsSync(paths.home)).toBe(false);
});

test("a backup is listed by check; to a folder it gets a dated name, to a file that name", async () => {
  const registry = made("docs");
  const { backup } = await registry.backup(undefined);
  const folder = await registry.backup(root);
  const file = await registry.backup(join(root, "mine.db"));
  expect(folder.backup).toStartWith(`${root}/registry.db.backup.`);
  for (const one of [backup, folder.backup, file.backup]) expect(titleIn(one)).toBe("docs");
  expect(await registry.check()).toMatchObject({
    sound: true,
    running: false,
    schema: supportedSchema,
    counts: { threads: 1 },
    backups: [{ path: backup, kind: "backup" }],
  });
});

test("migrate and restore want the lock that a daemon holds, whatever else is there; backup and check do not", async () => {
  const registry = made("docs");
  const lock = openLock(paths.lock)!;
  lock.write(JSON.stringify({ pid: 4711, start_time: "1", boot_id: "b", version: "1.2.3" }));
  const control = openControl({
    path: paths.socket,
    hello,
    call: async () => ({}),
    clock: systemClock,
    log: memoryLog(),
  });
  const { backup } = await registry.backup(undefined);
  const refused = { code: "conflict", hint: "dispatch down", message: expect.stringContaining("4711") };
  await expect(registry.migrate({ backup: true })).rejects.toMatchObject(refused);
  await expect(registry.restore(backup)).rejects.toMatchObject(refused);
  expect(await registry.check()).toMatchObject({ running: true, sound: true });
  control.close();
  lock.release();
  // A pid in the file of a daemon that is gone means nothing.
  expect(await registry.migrate({ backup: true })).toMatchObject({ backup: null });
  expect(await registry.restore(backup)).toMatchObject({ restored: backup, counts: { threads: 1 } });
  expect(openLock(paths.lock)).toBeDefined();
});

test("one that is damaged beyond reading names the newest backup as a shell takes it", async () => {
  const registry = made("docs");
  const { backup } = await registry.backup(undefined);
  writeFileSync(paths.db, "junk and more of it".repeat(300));
  const { code, hint } = await registry.check().catch((thrown) => thrown);
  expect([code, hint]).toEqual(["storage", expect.stringContaining("dispatch registry restore '")]);
  const shell = Bun.spawnSync(["sh", "-c", `printf %s ${hint.slice("dispatch registry restore ".length)}`]);
  expect(shell.stdout.toString()).toBe(backup);
  writeFileSync(paths.db, "");
  await expect(registry.check()).rejects.toMatchObject({ message: expect.stringContaining("empty") });
  await expect(registry.backup(undefined)).rejects.toMatchObject({
    message: expect.stringContaining("empty"),
  });
});
