/**
 * Operations on a registry file without the daemon. Only the caller may have the file open, unless stated otherwise.
 */
import { backup, backupPath } from "./backup.ts";
import { closeDb, openFile, openToRead, refuseEmptied } from "./db.ts";
import { fileError, storageError } from "./errors.ts";
import { type Migrated, type MigrateOptions, migrate } from "./migrate.ts";

/** Works beside a daemon that writes. Throws `conflict` when `to` exists, `storage`. */
export function backUpRegistry(path: string, now: number, to = backupPath(path, "backup", now)): string {
  try {
    refuseEmptied(path);
    const db = openToRead(path);
    try {
      backup(db, to);
      return to;
    } finally {
      db.close();
    }
  } catch (thrown) {
    throw fileError(thrown, `backing up ${path}`);
  }
}

/** Throws `storage`; then the registry is unchanged. */
export function migrateRegistry(path: string, now: number, options: MigrateOptions): Migrated {
  try {
    refuseEmptied(path);
    const db = openFile(path);
    try {
      return migrate(db, path, now, options);
    } finally {
      closeDb(db);
    }
  } catch (thrown) {
    throw storageError(thrown, `migrating ${path}`);
  }
}
