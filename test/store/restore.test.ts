import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { inspectRegistry } from "../../src/store/inspect.ts";
import { supportedSchema } from "../../src/store/migrate.ts";
import { restore } from "../../src/store/restore.ts";
import { openStore } from "../../src/store/store.ts";
import { backUpRegistry } from "../../src/store/upkeep.ts";
import { filesIn, leftWithLog, refusal, registryCalled, registryFolder, titleIn } from "./files.ts";
import { laneRow, messageRow } from "./rows.ts";

let place: ReturnType<typeof registryFolder>;
let saved: string;

/** A registry called "now", and a backup of it called "then". */
beforeEach(() => {
  place = registryFolder();
  registryCalled(place.path, "then");
  saved = backUpRegistry(place.path, 1);
  renamed(place.path, "now");
});
afterEach(() => place.dispose());

function renamed(path: string, title: string): void {
  const db = new Database(path);
  db.run("UPDATE lanes SET title = ?", [title]);
  db.close();
}

test("the backup is in place, sound and private; the replaced registry is beside it, and can be restored again", () => {
  const { path, folder } = place;
  const done = restore(saved, path, 2);
  expect(done).toMatchObject({ schema: supportedSchema, counts: { threads: 1 }, held: [] });
  expect([titleIn(path), titleIn(done.replaced!), titleIn(saved)]).toEqual(["then", "now", "then"]);
  expect(inspectRegistry(path, "whole").faults).toEqual([]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  restore(done.replaced!, path, 3);
  expect(titleIn(path)).toBe("now");
  expect(filesIn(folder).filter((name) => name.includes("partial"))).toEqual([]);
});

test("what a killed daemon left in its -wal goes with the registry that is replaced, and never to the new one", () => {
  const { path } = place;
  leftWithLog(path, "last words");
  const { replaced } = restore(saved, path, 2);
  expect(titleIn(replaced!)).toBe("last words");
  expect(existsSync(`${path}-wal`)).toBe(false);
  expect(titleIn(path)).toBe("then");
});

test("a damaged registry is replaced, and kept with its -wal as it was", () => {
  const { path } = place;
  leftWithLog(path, "last words");
  writeFileSync(path, "no registry any more".repeat(500));
  const [broken, log] = [readFileSync(path), readFileSync(`${path}-wal`)];
  const { replaced } = restore(saved, path, 2);
  expect(titleIn(path)).toBe("then");
  expect(readFileSync(replaced!).equals(broken)).toBe(true);
  expect(readFileSync(`${replaced}-wal`).equals(log)).toBe(true);
});

test("where there is no registry, or an emptied one, the backup is it", () => {
  const { path, folder } = place;
  expect(restore(saved, `${folder}/other.db`, 2).replaced).toBeNull();
  expect(titleIn(`${folder}/other.db`)).toBe("then");
  writeFileSync(path, "");
  restore(saved, path, 3);
  expect(titleIn(path)).toBe("then");
});

test("a registry that was set aside is read with its own -wal", () => {
  const { path, folder } = place;
  const aside = `${folder}/aside.db`;
  copyFileSync(saved, aside);
  leftWithLog(aside, "in the log");
  restore(aside, path, 2);
  expect(titleIn(path)).toBe("in the log");
});

test("cursors of before are of another log", () => {
  const { path } = place;
  const idOf = () => {
    const store = openStore(path, 1);
    const id = store.log.id();
    store.close();
    return id;
  };
  const before = idOf();
  restore(saved, path, 2);
  expect(idOf()).not.toBe(before);
});

test("what was waiting may have been delivered since: it is held by hand, and context, which no hold keeps, is given up", () => {
  const { path, folder } = place;
  const store = openStore(path, 1);
  const busy = laneRow({
    ref: "zzzzzz" as never,
    thread_id: "thread-2",
    title: "busy",
    handle: "busy",
    hold_reason: "failed",
  });
  store.tx(() => {
    store.lanes.add(busy);
    for (const [id, mode] of [
      ["q", "queue"],
      ["s", "send"],
      ["c", "context"],
    ] as const)
      store.messages.add(messageRow({ id: id as never, lane: busy.ref, mode, position: id.charCodeAt(0) }));
  });
  store.close();
  const to = backUpRegistry(path, 2, `${folder}/waiting.db`);
  expect(restore(to, path, 3).held).toEqual([{ ref: "zzzzzz", title: "busy", pending: 2 }]);
  const after = openStore(path, 4);
  expect(after.lanes.get(busy.ref)).toMatchObject({ hold_reason: "by_hand", pending: 2 });
  expect(after.messages.nextContext(busy.ref)).toBeUndefined();
  expect(after.messages.get("c" as never)).toMatchObject({ state: "failed", error: { code: "unsure" } });
  expect(after.messages.get("s" as never)).toMatchObject({ state: "queued" });
  after.close();
});

test.each<[string, string, (at: string) => unknown, RegExp]>([
  ["is not there", "not_found", () => undefined, /there is no/],
  ["is empty", "usage", (at) => writeFileSync(at, ""), /empty/],
  [
    "is no database",
    "storage",
    (at) => writeFileSync(at, "junk and more of it".repeat(300)),
    /not a registry/,
  ],
  [
    "is another program's",
    "storage",
    (at) => new Database(at).run("CREATE TABLE bookmarks (url)"),
    /bookmarks/,
  ],
  [
    "is of a newer dispatch",
    "storage",
    (at) => {
      copyFileSync(saved, at);
      new Database(at).run("PRAGMA user_version = 99");
    },
    new RegExp(`schema 99.*knows ${supportedSchema}`),
  ],
  [
    "is damaged",
    "storage",
    (at) => {
      const bytes = readFileSync(saved);
      for (let page = 1; page < bytes.length / 4096; page++) bytes.fill(7, page * 4096, page * 4096 + 1024);
      writeFileSync(at, bytes);
    },
    /damaged|check/,
  ],
])("a backup that %s is refused, and the registry is untouched", (_what, code, make, words) => {
  const { path, folder } = place;
  const bad = `${folder}/bad.db`;
  make(bad);
  const before = readFileSync(path);
  expect(refusal(() => restore(bad, path, 2))).toMatchObject({ code, message: expect.stringMatching(words) });
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(filesIn(folder).filter((name) => /partial|replaced/.test(name))).toEqual([]);
});

test("the registry is no backup of itself", () => {
  expect(refusal(() => restore(place.path, place.path, 2))).toMatchObject({ code: "usage" });
});
