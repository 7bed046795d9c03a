/** Opens the registry: one writer, WAL, every commit on disk before it is answered. */
import { Database } from "bun:sqlite";
import { chmodSync, existsSync, renameSync, rmSync, statSync } from "node:fs";
import { fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { refuseIrregular } from "../base/ownfile.ts";
import { quoted } from "../base/privacy.ts";
import { backupsOf } from "./backup.ts";
import { storageError } from "./errors.ts";
import { migrate } from "./migrate.ts";

// Bun keeps 20 prepared statements and prepares the others again at each use (measured: half the rate of events).
Database.MAX_QUERY_CACHE_SIZE = 500;

/** `path` may be `:memory:`. Throws `storage`. */
export function openDb(path: string, now: number): Database {
  try {
    refuseForeignFiles(path);
    if (path !== ":memory:") {
      if (isNew(path)) create(path, now);
      refuseEmptied(path);
    }
    const db = openFile(path);
    migrate(db, path, now);
    return db;
  } catch (thrown) {
    throw storageError(thrown, `opening ${path}`);
  }
}

/**
 * There is no file, or a first start was cut off before its first byte: then the file is empty, was never written, and
 * has no copy beside it. A registry that was emptied has been written.
 */
function isNew(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return true;
  const isUnwritten = found.size === 0 && found.mtimeMs - found.birthtimeMs < limits.process.fileTimesApartMs;
  return isUnwritten && !existsSync(`${path}-wal`) && backupsOf(path).length === 0;
}

/**
 * Creates the registry under another name and renames it when complete: a start that is cut off leaves nothing that
 * looks like a registry.
 */
function create(path: string, now: number): void {
  const aside = `${path}.first`;
  for (const left of [aside, `${aside}-wal`, `${aside}-shm`]) rmSync(left, { force: true });
  const db = openFile(aside);
  try {
    chmodSync(aside, 0o600);
    migrate(db, aside, now);
  } finally {
    closeDb(db);
  }
  // They belong to a registry that is gone: SQLite would read them into the new one.
  for (const end of ["-wal", "-shm"])
    if (existsSync(path + end)) renameSync(path + end, `${path}${end}.lost`);
  renameSync(aside, path);
}

/** Does not check the contents. */
export function openFile(path: string): Database {
  refuseForeignFiles(path);
  const db = new Database(path, { create: true, strict: true });
  // Before WAL (measured: two opens at once gave SQLITE_BUSY with the default of 0).
  db.run(`PRAGMA busy_timeout = ${limits.store.busyTimeoutMs}`);
  db.run("PRAGMA journal_mode = WAL");
  db.run("PRAGMA synchronous = FULL");
  db.run("PRAGMA foreign_keys = ON");
  db.run("PRAGMA trusted_schema = OFF");
  return db;
}

/** To read, or to copy, beside a daemon that writes. */
export function openToRead(path: string): Database {
  refuseForeignFiles(path);
  const db = new Database(path, { readonly: true, strict: true });
  db.run(`PRAGMA busy_timeout = ${limits.store.busyTimeoutMs}`);
  return db;
}

/**
 * SQLite would wait for a named pipe, and follow a link. But the name of the lock comes from the path as given, so two
 * names would allow two daemons on one registry.
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

/**
 * SQLite opens a file without bytes as an empty database (measured), so a registry that was emptied is refused here.
 */
export function refuseEmptied(path: string): void {
  if (statSync(path).size > 0) return;
  fail("storage", `the registry ${path} is empty, though it was not`, {
    hint: `dispatch doctor names a backup, if there is one; else remove the file to start again: rm ${quoted(path)}`,
  });
}
