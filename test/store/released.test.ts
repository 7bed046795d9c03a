/** The schemas that are in users' hands: their files never change, and a registry of each is brought to today's. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DispatchError } from "../../src/base/error.ts";
import { inspectRegistry } from "../../src/store/inspect.ts";
import { supportedSchema } from "../../src/store/migrate.ts";
import { openStore } from "../../src/store/store.ts";
import { registryFolder } from "./files.ts";

const migrations = join(import.meta.dir, "../../src/store/migrations");

/** By version: its schema, and the hash of the steps up to it. A release adds a line and changes none. */
const released = {
  "0.1.0": { schema: 1, sha256: "a9501cba37f9f0bdfd65d9e5801b2d277f0f615f0e16daba7f3f14348270360b" },
} as const;

const steps = readdirSync(migrations)
  .sort()
  .map((name) => readFileSync(join(migrations, name), "utf8"));

const stepsTo = (schema: number) => steps.slice(0, schema).join("\n");

for (const [version, { schema, sha256 }] of Object.entries(released)) {
  test(`the schema of ${version} is what it was`, () => {
    expect(new Bun.CryptoHasher("sha256").update(stepsTo(schema)).digest("hex")).toBe(sha256);
  });

  test(`a registry of ${version} opens, with its rows`, () => {
    const { path, dispose } = registryFolder();
    try {
      const db = new Database(path, { create: true, strict: true });
      db.run(stepsTo(schema));
      db.run("INSERT INTO meta (id, log_id) VALUES (1, 'abcdefgh')");
      db.run(
        `INSERT INTO lanes (ref, thread_id, source, setup, title, cwd, settings, evidence_at, created_at, updated_at)
         VALUES ('bcdfgh', 'thread-1', 'own', 'ready', 'docs', '/repo', '{"cwd":"/repo"}', 1, 1, 1)`,
      );
      db.run(`PRAGMA user_version = ${schema}`);
      db.close();
      const store = openStore(path, 9);
      expect(store.lanes.findByThread("thread-1")).toMatchObject({ ref: "bcdfgh", title: "docs" });
      store.close();
      expect(inspectRegistry(path)).toMatchObject({ schema: supportedSchema, faults: [] });
    } finally {
      dispose();
    }
  });
}

test("the newest release has no schema that is not in the list", () => {
  const newest = Object.values(released).at(-1)!;
  expect(newest.schema).toBeLessThanOrEqual(supportedSchema);
});

test("a registry of a newer dispatch is refused in words, and is not changed", () => {
  const { path, dispose } = registryFolder();
  try {
    openStore(path, 9).close();
    const db = new Database(path);
    db.run(`PRAGMA user_version = ${supportedSchema + 1}`);
    db.close();
    const bytes = readFileSync(path);
    let refusal: unknown;
    try {
      openStore(path, 9);
    } catch (thrown) {
      refusal = thrown;
    }
    expect(refusal).toBeInstanceOf(DispatchError);
    expect(refusal).toMatchObject({
      code: "storage",
      message: `${path} has schema ${supportedSchema + 1}; this dispatch knows ${supportedSchema}`,
      hint: "install the dispatch that wrote it, or a newer one",
    });
    expect(readFileSync(path).equals(bytes)).toBe(true);
  } finally {
    dispose();
  }
});
