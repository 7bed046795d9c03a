/**
 * Puts a backup in the place of the registry. After a crash at any point the old or the new registry is in place, and
 * it is complete except in one case (see `setAside`); the replaced registry is kept. The backup does not know what
 * happened after it was made, so it is marked (see `markDoubtful`).
 */
import type { Database } from "bun:sqlite";
import { existsSync, linkSync, renameSync, rmSync, statSync } from "node:fs";
import { fail } from "../base/error.ts";
import { backupPath, copy, partialOf, syncDirectory } from "./backup.ts";
import { closeDb, openFile, openToRead } from "./db.ts";
import { fileError } from "./errors.ts";
import { inspectRegistry } from "./inspect.ts";
import { migrate, refuseForeign, refuseNewer, schemaOf } from "./migrate.ts";

export interface Restored {
  /** The schema of the backup; the registry gets the schema of this dispatch. */
  schema: number;
  /** The path of the replaced registry; null: there was none. */
  replaced: string | null;
  /** Messages that were queued in the backup may have been delivered since: they wait for a person. */
  held: { ref: string; title: string; pending: number }[];
  counts: Record<string, number>;
}

/** No process may have `path` open. Throws `not_found`, `usage`, `storage`; then `path` is unchanged. */
export function restore(from: string, path: string, now: number): Restored {
  const fresh = partialOf(path);
  try {
    refuseUnfit(from, path);
    const schema = copyBackup(from, fresh);
    const held = prepare(fresh, now);
    const { counts } = inspectRegistry(fresh);
    const replaced = setAside(path, now);
    renameSync(fresh, path);
    syncDirectory(path);
    return { schema, replaced, held, counts };
  } catch (thrown) {
    throw fileError(thrown, `restoring ${from}`);
  } finally {
    for (const rest of ["", "-wal", "-shm", "-journal"]) rmSync(`${fresh}${rest}`, { force: true });
  }
}

function refuseUnfit(from: string, path: string): void {
  const found = statSync(from, { throwIfNoEntry: false });
  if (!found) fail("not_found", `there is no ${from}`, { hint: "dispatch registry check lists the backups" });
  if (!found.isFile() || found.size === 0)
    fail("usage", `${from} is no backup: it is ${found.isFile() ? "empty" : "no file"}`);
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing?.ino === found.ino && existing.dev === found.dev)
    fail("usage", `${from} is the registry itself`, { hint: "dispatch registry check lists the backups" });
}

/** Reads through SQLite, since a registry that was set aside has a -wal of its own. Returns its schema. */
function copyBackup(from: string, to: string): number {
  const db = openToRead(from);
  try {
    const schema = schemaOf(db);
    if (schema === 0) {
      refuseForeign(db, from);
      fail("storage", `${from} is an empty database`);
    }
    refuseNewer(schema, from);
    copy(db, to);
    return schema;
  } finally {
    db.close();
  }
}

/** Migrates first: a backup that cannot be migrated is refused while the old registry is still in place. */
function prepare(path: string, now: number): Restored["held"] {
  const db = openFile(path);
  try {
    migrate(db, path, now, { backup: false });
    return db.transaction(() => markDoubtful(db, now)).immediate();
  } finally {
    closeDb(db);
  }
}

/**
 * The log continues in another way from here, so it gets another id, and cursors of the old log are refused. Queued
 * messages may have been delivered since: none of them is sent before a person releases the queue.
 */
function markDoubtful(db: Database, now: number): Restored["held"] {
  const { log_id } = db.query<{ log_id: string }, []>("SELECT log_id FROM meta").get()!;
  let other = log_id;
  while (other === log_id) other = crypto.randomUUID().slice(0, 8);
  db.query("UPDATE meta SET log_id = ?").run(other);
  // Context passes every hold, and no history shows it, so it fails.
  db.query(
    "UPDATE messages SET state = 'failed', error = ?, updated_at = ? WHERE state = 'queued' AND mode = 'context'",
  ).run(
    JSON.stringify({
      code: "unsure",
      message: "whether it was delivered is not known: the registry was restored",
    }),
    now,
  );
  const waiting = "pending > 0 AND forgotten_at IS NULL";
  db.run(`UPDATE lanes SET hold_reason = 'by_hand' WHERE ${waiting}`);
  return db
    .query<Restored["held"][number], []>(
      `SELECT ref, title, pending FROM lanes WHERE ${waiting} ORDER BY updated_at DESC`,
    )
    .all();
}

/**
 * Both names lead to the registry until the new one takes its place. Null: there was none. When the -wal could not be
 * emptied, a crash between its removal and the rename leaves the old name without it: then only the kept copy is
 * complete.
 */
function setAside(path: string, now: number): string | null {
  if (existsSync(path)) emptyLog(path);
  const to = backupPath(path, "replaced", now);
  const rests = ["", "-wal"].filter((rest) => existsSync(`${path}${rest}`));
  for (const rest of rests) linkSync(`${path}${rest}`, `${to}${rest}`);
  syncDirectory(path);
  // SQLite would apply a remaining -wal to the new registry.
  for (const rest of ["-shm", "-wal"]) rmSync(`${path}${rest}`, { force: true });
  return rests.includes("") ? to : null;
}

/** After this the file alone is the whole registry. A registry that is too damaged for it is kept with its -wal. */
function emptyLog(path: string): void {
  try {
    closeDb(openFile(path));
  } catch {
    // Kept as it is: it is replaced because it is broken.
  }
}
