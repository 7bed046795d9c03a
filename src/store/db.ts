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

// Bun keeps 20 prepared statements and makes the others again at each use, which halved the events ingested (measured).
Database.MAX_QUERY_CACHE_SIZE = 500;

/** `path` may be `:memory:`. Throws `storage`. */
export function openDb(path: string, now: number): Database {
  try {
    refuseForeignFiles(path);
    if (path !== ":memory:") {
      if (isUnbegun(path)) begin(path, now);
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
 * Nothing is there, or what a first start left that was cut off before its first byte: an empty file that was never
 * written, with no copy of it beside it. One that was emptied has been written.
 */
function isUnbegun(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return true;
  const isUnwritten = found.size === 0 && found.mtimeMs - found.birthtimeMs < limits.process.fileTimesApartMs;
  return isUnwritten && !existsSync(`${path}-wal`) && backupsOf(path).length === 0;
}

/** Made aside and put in place whole: a start that is cut off leaves nothing that the next one could take for a registry. */
function begin(path: string, now: number): void {
  const aside = `${path}.first`;
  for (const left of [aside, `${aside}-wal`, `${aside}-shm`]) rmSync(left, { force: true });
  const db = openFile(aside);
  try {
    chmodSync(aside, 0o600);
    migrate(db, aside, now);
  } finally {
    closeDb(db);
  }
  // Of a registry that is gone: SQLite would read them into the new one.
  for (const end of ["-wal", "-shm"])
    if (existsSync(path + end)) renameSync(path + end, `${path}${end}.lost`);
  renameSync(aside, path);
}

/** With no look at what is in it. */
export function openFile(path: string): Database {
  refuseForeignFiles(path);
  const db = new Database(path, { create: true, strict: true });
  // Before WAL: two opens at once with the default of 0 gave SQLITE_BUSY on set-up (measured).
  db.run(`PRAGMA busy_timeout = ${limits.store.busyTimeoutMs}`);
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
  db.run(`PRAGMA busy_timeout = ${limits.store.busyTimeoutMs}`);
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
export function refuseEmptied(path: string): void {
  if (statSync(path).size > 0) return;
  fail("storage", `the registry ${path} is empty, though it was not`, {
    hint: `dispatch doctor names a backup, if there is one; else remove the file to start again: rm ${quoted(path)}`,
  });
}
