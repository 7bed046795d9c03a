/** Applies numbered SQL, all of it in one transaction, after a verified backup. */
import type { Database } from "bun:sqlite";
import { DispatchError, fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { backup, backupPath, pruneBackups } from "./backup.ts";
import { fileError } from "./errors.ts";
import first from "./migrations/001.sql" with { type: "text" };
import second from "./migrations/002.sql" with { type: "text" };
import third from "./migrations/003.sql" with { type: "text" };
import fourth from "./migrations/004.sql" with { type: "text" };
import fifth from "./migrations/005.sql" with { type: "text" };
import sixth from "./migrations/006.sql" with { type: "text" };
import seventh from "./migrations/007.sql" with { type: "text" };
import eighth from "./migrations/008.sql" with { type: "text" };
import ninth from "./migrations/009.sql" with { type: "text" };
import tenth from "./migrations/010.sql" with { type: "text" };
import eleventh from "./migrations/011.sql" with { type: "text" };
import twelfth from "./migrations/012.sql" with { type: "text" };
import thirteenth from "./migrations/013.sql" with { type: "text" };
import fourteenth from "./migrations/014.sql" with { type: "text" };
import fifteenth from "./migrations/015.sql" with { type: "text" };

const migrations: readonly string[] = [
  first,
  second,
  third,
  fourth,
  fifth,
  sixth,
  seventh,
  eighth,
  ninth,
  tenth,
  eleventh,
  twelfth,
  thirteenth,
  fourteenth,
  fifteenth,
];

export const supportedSchema = migrations.length;

export interface Migrated {
  from: number;
  to: number;
  /** The copy of the old registry; null: nothing had to change, or no copy was wanted. */
  backup: string | null;
}

export interface MigrateOptions {
  /** false: makes no copy of the old registry. */
  backup?: boolean;
  /** A parameter for tests. */
  steps?: readonly string[];
}

export function schemaOf(db: Database): number {
  return db.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
}

/** Throws `storage`; then the registry is unchanged. */
export function migrate(db: Database, path: string, now: number, options: MigrateOptions = {}): Migrated {
  const { backup: wantsBackup = true, steps = migrations } = options;
  const from = schemaOf(db);
  refuseNewer(from, path, steps.length);
  if (from === 0) refuseForeign(db, path);
  const isOld = from > 0 && from < steps.length;
  if (isOld) refuseDamaged(db, path);
  const kept = isOld && wantsBackup && path !== ":memory:" ? backUp(db, path, now) : null;
  // One transaction for all steps: no dispatch ever wrote a registry between two versions.
  if (from < steps.length) db.transaction(() => step(db, from, steps)).immediate();
  return { from, to: steps.length, backup: kept };
}

function step(db: Database, from: number, steps: readonly string[]): void {
  for (let version = from; version < steps.length; version++) {
    db.run(steps[version]!);
    if (version === 0)
      db.query("INSERT INTO meta (id, log_id) VALUES (1, ?)").run(crypto.randomUUID().slice(0, 8));
  }
  const orphan = db.query<{ table: string }, []>("PRAGMA foreign_key_check").get();
  if (orphan) fail("storage", `the migration would leave rows of ${orphan.table} that belong to nothing`);
  db.run(`PRAGMA user_version = ${steps.length}`);
}

function backUp(db: Database, path: string, now: number): string {
  const to = backupPath(path, "before", now);
  try {
    backup(db, to);
    pruneBackups(path, limits.store.migrationBackupsKept);
    return to;
  } catch (thrown) {
    const error = fileError(thrown, "backing up");
    if (!(error instanceof DispatchError)) throw error;
    return fail("storage", `nothing was migrated, since there is no backup: ${error.message}`, {
      hint: "free some disk space, or go without: dispatch registry migrate --no-backup",
      cause: error,
    });
  }
}

/** Throws `storage`, with both versions. */
export function refuseNewer(schema: number, path: string, supported = supportedSchema): void {
  if (schema > supported)
    fail("storage", `${path} has schema ${schema}; this dispatch knows ${supported}`, {
      hint: "install the dispatch that wrote it, or a newer one",
    });
}

/** A database of version 0 with tables belongs to another program. Throws `storage`. */
export function refuseForeign(db: Database, path: string): void {
  const found = db.query<{ name: string }, []>("SELECT name FROM sqlite_schema LIMIT 1").get();
  if (found)
    fail("storage", `${path} is a database, but not a dispatch registry (it has "${found.name}")`, {
      hint: "dispatch doctor",
    });
}

function refuseDamaged(db: Database, path: string): void {
  const verdict = db.query<{ quick_check: string }, []>("PRAGMA quick_check").get()?.quick_check;
  if (verdict !== "ok")
    fail("storage", `${path} is damaged (${verdict}), so it is not migrated`, { hint: "dispatch doctor" });
}
