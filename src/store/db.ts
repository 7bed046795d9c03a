/** Opens the registry: one writer, WAL, every commit on disk before it is answered. */
import { Database } from "bun:sqlite";
import { chmodSync, existsSync, statSync } from "node:fs";
import { fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { refuseIrregular } from "../base/ownfile.ts";
import { storageError } from "./errors.ts";
import { migrate } from "./migrate.ts";

// Bun keeps 20 prepared statements and makes the others anew at each use, which halved the events ingested (measured).
Database.MAX_QUERY_CACHE_SIZE = 500;

/** `path` may be `:memory:`. Throws `storage`. */
export function openDb(path: string, now: number): Database {
  try {
    refuseForeignFiles(path);
    const isNew = path === ":memory:" || !existsSync(path);
    refuseEmptied(path, isNew);
    const db = openFile(path);
    if (isNew && path !== ":memory:") chmodSync(path, 0o600);
    migrate(db, path, now);
    return db;
  } catch (thrown) {
    throw storageError(thrown, `opening ${path}`);
  }
}

/** With no look at what is in it. */
export function openFile(path: string): Database {
  refuseForeignFiles(path);
  const db = new Database(path, { create: true, strict: true });
  // Before WAL: two opens at once with the default of 0 gave SQLITE_BUSY on set-up (measured).
  db.run(`PRAGMA busy_timeout = ${limits.storeBusyTimeoutMs}`);
  db.run("PRAGMA journal_mode = WAL");
  db.run("PRAGMA synchronous = FULL");
  db.run("PRAGMA foreign_keys = ON");
  db.run("PRAGMA trusted_schema = OFF");
  return db;
}

/** To look, or to copy, beside a daemon that writes. */
export function openToRead(path: string): Database {
  refuseForeignFiles(path);
  const db = new Database(path, { readonly: true, strict: true });
  db.run(`PRAGMA busy_timeout = ${limits.storeBusyTimeoutMs}`);
  return db;
}

/**
 * SQLite would wait for a named pipe, and follow a link: but the lock beside the registry goes by the name that is spelled,
 * so two names would be two daemons on one registry.
 */
function refuseForeignFiles(path: string): void {
  if (path === ":memory:") return;
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]) refuseIrregular(file);
}

/** Leaves no -wal behind. On a full disk the checkpoint fails; the next open replays the log. */
export function closeDb(db: Database): void {
  try {
    db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    db.close();
  }
}

/** A zero-length file opens as an empty database (measured): never start clean over one that was emptied. */
export function refuseEmptied(path: string, isNew = false): void {
  if (isNew || statSync(path).size > 0) return;
  fail("storage", `the registry ${path} is empty, though it was not`, {
    hint: `dispatch doctor names a backup, if there is one; else remove the file to begin anew: rm '${path}'`,
  });
}
