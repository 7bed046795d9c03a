import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { statSync, writeFileSync } from "node:fs";
import { backup, backupPath, backupsOf, pruneBackups } from "../../src/store/backup.ts";
import { inspectRegistry } from "../../src/store/inspect.ts";
import { openStore } from "../../src/store/store.ts";
import { backUpRegistry } from "../../src/store/upkeep.ts";
import { filesIn, leftWithLog, refusal, registryCalled, registryFolder, titleIn } from "./files.ts";

let place: ReturnType<typeof registryFolder>;
beforeEach(() => {
  place = registryFolder();
});
afterEach(() => place.dispose());

test("a backup beside a writer that never pauses is whole, the owner's alone, and leaves nothing else", () => {
  const { path, folder } = place;
  const store = openStore(path, 1);
  store.tx(() => store.events.append({ kind: "daemon.up" }, 1));
  const to = backUpRegistry(path, 2);
  store.tx(() => store.events.append({ kind: "daemon.up" }, 3));
  store.close();
  expect(inspectRegistry(to, "whole")).toMatchObject({ counts: { events: 1 }, faults: [] });
  expect(statSync(to).mode & 0o777).toBe(0o600);
  expect(filesIn(folder).filter((name) => name.includes("partial"))).toEqual([]);
});

test("what a killed daemon left in its -wal is in the backup", () => {
  const { path } = place;
  registryCalled(path, "docs");
  leftWithLog(path, "renamed");
  expect(titleIn(backUpRegistry(path, 1))).toBe("renamed");
});

test("a file that is there is never written over", () => {
  const { path } = place;
  registryCalled(path, "docs");
  const to = `${path}.mine`;
  writeFileSync(to, "precious");
  expect(refusal(() => backUpRegistry(path, 1, to))).toMatchObject({ code: "conflict" });
  expect(statSync(to).size).toBe("precious".length);
});

test("a copy that cannot be written is storage, and leaves nothing", () => {
  const { path, folder } = place;
  registryCalled(path, "docs");
  const before = filesIn(folder);
  expect(refusal(() => backUpRegistry(path, 1, `${folder}/no/such/place.db`))).toMatchObject({
    code: "storage",
    message: expect.stringContaining("place.db"),
  });
  const db = new Database(path);
  db.run("PRAGMA journal_mode = DELETE");
  db.run("BEGIN");
  // VACUUM is refused inside a transaction: any refusal of SQLite's will do.
  expect(() => backup(db, `${path}.copy`)).toThrow();
  db.run("ROLLBACK");
  db.close();
  expect(filesIn(folder)).toEqual(before);
});

test("backups are recognised by their names, newest first, and only automatic ones are pruned", () => {
  const { path } = place;
  registryCalled(path, "docs");
  const day = 86_400_000;
  for (const at of [1, 2, 3, 4]) writeFileSync(backupPath(path, "before", at * day), "x");
  for (const kind of ["backup", "replaced"] as const) writeFileSync(backupPath(path, kind, 0), "x");
  writeFileSync(`${path}.backup.yesterday`, "x");
  pruneBackups(path, 2);
  expect(backupsOf(path).map(({ kind, at, bytes }) => [kind, at / day, bytes])).toEqual([
    ["before", 4, 1],
    ["before", 3, 1],
    ["backup", 0, 1],
    ["replaced", 0, 1],
  ]);
});

test("two backups of one moment get names of their own", () => {
  const { path } = place;
  registryCalled(path, "docs");
  const made = [backUpRegistry(path, 7), backUpRegistry(path, 7)];
  expect(new Set(made).size).toBe(2);
  expect(backupsOf(path).map((one) => one.path)).toEqual(made.toReversed());
});
