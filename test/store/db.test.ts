import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DispatchError } from "../../src/base/error.ts";
import { inspectRegistry } from "../../src/store/inspect.ts";
import { supportedSchema } from "../../src/store/migrate.ts";
import { openStore } from "../../src/store/store.ts";
import { laneRow } from "./rows.ts";

const folders: string[] = [];
const home = () => {
  const folder = mkdtempSync(join(tmpdir(), "dispatch-store-"));
  folders.push(folder);
  return join(folder, "registry.db");
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function refusal(fn: () => unknown): DispatchError {
  try {
    fn();
  } catch (thrown) {
    if (thrown instanceof DispatchError) return thrown;
    throw thrown;
  }
  throw new Error("it was not refused");
}

test("a new registry is the owner's alone, and has the schema this dispatch knows", () => {
  const path = home();
  openStore(path, 1).close();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(inspectRegistry(path)).toMatchObject({
    schema: supportedSchema,
    supported: supportedSchema,
    faults: [],
  });
});

test("what was committed is there after another open, under the same log", () => {
  const path = home();
  const first = openStore(path, 1);
  first.tx(() => first.events.append({ kind: "daemon.up" }, 1));
  const id = first.log.id();
  first.close();
  const second = openStore(path, 2);
  expect([second.log.id(), second.log.last()]).toEqual([id, 1]);
  second.close();
});

test("a newer schema is refused, naming both", () => {
  const path = home();
  openStore(path, 1).close();
  const db = new Database(path);
  db.run("PRAGMA user_version = 99");
  db.close();
  const error = refusal(() => openStore(path, 2));
  expect(error.code).toBe("storage");
  expect(error.message).toContain("schema 99");
  expect(error.message).toContain(String(supportedSchema));
});

test("another program's database is refused and left as it was", () => {
  const path = home();
  const db = new Database(path, { create: true });
  db.run("CREATE TABLE bookmarks (url)");
  db.close();
  expect(refusal(() => openStore(path, 1)).message).toContain("bookmarks");
});

test("a registry that was emptied is never started over", () => {
  const ways: ((path: string) => void)[] = [
    // Written, and then emptied.
    (path) => {
      openStore(path, 1).close();
      truncateSync(path);
      const later = new Date(Date.now() + 60_000);
      utimesSync(path, later, later);
    },
    (path) => {
      writeFileSync(path, "");
      writeFileSync(`${path}-wal`, "the changes of a registry that was");
    },
    (path) => {
      writeFileSync(path, "");
      writeFileSync(`${path}.backup.20260101T000000000Z`, "a copy of a registry that was");
    },
  ];
  for (const empty of ways) {
    const path = home();
    empty(path);
    const error = refusal(() => openStore(path, 1));
    expect([error.code, error.hint]).toEqual(["storage", expect.stringContaining("backup")]);
    expect(statSync(path).size).toBe(0);
  }
});

test("a first start that was cut off, at whatever moment, leaves what the next one starts over", () => {
  const debris: ((path: string) => void)[] = [
    (path) => writeFileSync(path, ""),
    (path) => writeFileSync(`${path}.first`, "half a registry"),
    (path) => {
      writeFileSync(`${path}.first`, "");
      writeFileSync(`${path}.first-wal`, "half a log");
    },
    (path) => writeFileSync(`${path}-wal`, "the log of a registry that is gone"),
  ];
  for (const leave of debris) {
    const path = home();
    leave(path);
    const store = openStore(path, 1);
    store.lanes.add(laneRow());
    store.close();
    expect(openStore(path, 2).lanes.count()).toBe(1);
    expect(existsSync(`${path}.first`)).toBe(false);
  }
});

test("a damaged file is storage, while opening, with doctor as the next command", () => {
  const path = home();
  writeFileSync(path, "not a database at all, and long enough to be looked at as one".repeat(100));
  const error = refusal(() => openStore(path, 1));
  expect(error).toMatchObject({ code: "storage", hint: "dispatch doctor" });
  expect(error.message).toContain("while opening");
});
