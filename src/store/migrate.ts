/** Numbered SQL, one transaction each, after a verified backup. */
import type { Database } from "bun:sqlite";
import { fail } from "../base/error.ts";
import { backup } from "./backup.ts";
import first from "./migrations/001.sql" with { type: "text" };

const migrations: readonly string[] = [first];

export const supportedSchema = migrations.length;

export function schemaOf(db: Database): number {
  return db.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
}

export function migrate(db: Database, path: string, now: number): void {
  const from = schemaOf(db);
  if (from > supportedSchema) {
    fail("storage", `the registry has schema ${from}; this dispatch knows ${supportedSchema}`, {
      hint: "install the dispatch that wrote it, or a newer one",
    });
  }
  if (from === 0) refuseForeign(db, path);
  if (from > 0 && from < supportedSchema && path !== ":memory:")
    backup(db, `${path}.before-${supportedSchema}.${now}`);
  for (let version = from; version < supportedSchema; version++) {
    db.transaction(() => {
      db.run(migrations[version]!);
      if (version === 0)
        db.query("INSERT INTO meta (id, log_id) VALUES (1, ?)").run(crypto.randomUUID().slice(0, 8));
      db.run(`PRAGMA user_version = ${version + 1}`);
    }).immediate();
  }
}

/** Version 0 with tables in it is somebody else's database. */
function refuseForeign(db: Database, path: string): void {
  const found = db.query<{ name: string }, []>("SELECT name FROM sqlite_schema LIMIT 1").get();
  if (found)
    fail("storage", `${path} is a database, but not a dispatch registry (it has "${found.name}")`, {
      hint: "dispatch doctor",
    });
}
