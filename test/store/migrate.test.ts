/** A registry of an older schema, brought to a newer one: whole afterwards, whatever went wrong on the way. */
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { closeSync, existsSync, openSync, readFileSync, statSync, symlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { backupPath, backupsOf } from "../../src/store/backup.ts";
import { closeDb, openFile } from "../../src/store/db.ts";
import { migrate, schemaOf, supportedSchema } from "../../src/store/migrate.ts";
import { migrateRegistry } from "../../src/store/upkeep.ts";
import { until } from "../daemon/rig.ts";
import { filesIn, refusal, registryCalled, registryFolder, titleIn } from "./files.ts";

const now = Date.UTC(2026, 0, 1);
/** What this dispatch knows, and one more. */
const [known, next] = [Array<string>(supportedSchema).fill(""), "ALTER TABLE lanes ADD COLUMN colour TEXT;"];

let place: ReturnType<typeof registryFolder>;
beforeEach(() => {
  place = registryFolder();
  registryCalled(place.path, "docs");
});
afterEach(() => place.dispose());

function migrated(
  steps: readonly string[],
  options: { backup?: boolean; prepare?: string; at?: number } = {},
) {
  const { prepare, at = now, ...rest } = options;
  const db = openFile(place.path);
  try {
    if (prepare) db.run(prepare);
    return migrate(db, place.path, at, { ...rest, steps: [...known, ...steps] });
  } finally {
    closeDb(db);
  }
}

/** The lane is there, and the schema it has is this one. */
function standsAt(schema: number) {
  const db = new Database(place.path, { readonly: true });
  expect(schemaOf(db)).toBe(schema);
  expect(db.query<{ integrity_check: string }, []>("PRAGMA integrity_check").get()?.integrity_check).toBe(
    "ok",
  );
  db.close();
  expect(titleIn(place.path)).toBe("docs");
}

test("all steps are one, behind a backup of what it was", () => {
  const done = migrated([next, "UPDATE lanes SET colour = 'red';"]);
  expect(done).toMatchObject({ from: supportedSchema, to: supportedSchema + 2 });
  standsAt(supportedSchema + 2);
  expect(titleIn(done.backup!)).toBe("docs");
  expect(backupsOf(place.path).map(({ kind, at }) => [kind, at])).toEqual([["before", now]]);
});

test("one that is up to date is left alone, with no backup", () => {
  expect(migrateRegistry(place.path, now, { backup: true })).toEqual({
    from: supportedSchema,
    to: supportedSchema,
    backup: null,
  });
  expect(backupsOf(place.path)).toEqual([]);
});

test("without a backup when none is wanted", () => {
  expect(migrated([next], { backup: false }).backup).toBeNull();
  expect(backupsOf(place.path)).toEqual([]);
  standsAt(supportedSchema + 1);
});

test("without room for its backup nothing is migrated, unless one asks for that", () => {
  // A link to nothing: the name looks free, and cannot be written.
  symlinkSync("/no/such/file", backupPath(place.path, "before", now));
  expect(refusal(() => migrated([next]))).toMatchObject({
    code: "storage",
    hint: expect.stringContaining("--no-backup"),
  });
  standsAt(supportedSchema);
});

test("a step that fails takes the ones before it back", () => {
  expect(() => migrated([next, "INSERT INTO no_such_table VALUES (1);"])).toThrow();
  standsAt(supportedSchema);
});

test("rows that a step would leave without what they belong to are refused", () => {
  const orphan = `${next} PRAGMA defer_foreign_keys = ON; INSERT INTO turns (lane, turn_id, origin, status, started_at) VALUES ('zzzzzz', 't', 'ours', 'completed', 1);`;
  expect(refusal(() => migrated([orphan]))).toMatchObject({
    code: "storage",
    message: expect.stringContaining("turns"),
  });
  standsAt(supportedSchema);
});

test("a disk that fills under a step leaves the old one", () => {
  const big =
    "CREATE TABLE big AS WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 1000) SELECT hex(randomblob(1000)) AS y FROM c;";
  const { page_count: pages } = new Database(place.path)
    .query<{ page_count: number }, []>("PRAGMA page_count")
    .get()!;
  expect(() => migrated([next, big], { prepare: `PRAGMA max_page_count = ${pages + 20}` })).toThrow("full");
  standsAt(supportedSchema);
  expect(backupsOf(place.path)).toHaveLength(1);
});

test("a damaged one is not migrated, and stays as it is to the byte", () => {
  const size = statSync(place.path).size;
  const file = openSync(place.path, "r+");
  for (let page = 2; page < size / 4096; page++) writeSync(file, Buffer.alloc(1024, 7), 0, 1024, page * 4096);
  closeSync(file);
  const before = readFileSync(place.path);
  expect(() => migrated([next])).toThrow();
  expect(readFileSync(place.path).equals(before)).toBe(true);
});

test("killed in the middle of a step, it is the old one", async () => {
  const endless = `${next} CREATE TABLE big (x); INSERT INTO big WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT hex(randomblob(500)) FROM c;`;
  const source = join(import.meta.dir, "../../src/store");
  const code = `import { openFile } from "${source}/db.ts"; import { migrate } from "${source}/migrate.ts";
    migrate(openFile(${JSON.stringify(place.path)}), ${JSON.stringify(place.path)}, ${now}, { steps: ${JSON.stringify([...known, endless])} });`;
  const child = Bun.spawn([process.execPath, "-e", code], { stderr: "inherit" });
  const log = `${place.path}-wal`;
  await until(() => existsSync(log) && statSync(log).size > 1_000_000, "a migration that is under way");
  child.kill("SIGKILL");
  await child.exited;
  standsAt(supportedSchema);
  expect(migrated([next], { at: now + 1 }).to).toBe(supportedSchema + 1);
  expect(filesIn(place.folder).some((name) => name.includes("partial"))).toBe(false);
});
