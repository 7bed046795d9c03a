/**
 * A backup put in the place of the registry. Crash anywhere: what stands there is the one or the other, whole save in
 * one case that `setAside` tells, and the replaced one is kept. What the backup remembers of time since is not true any
 * more, so it is made to say so.
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
  /** Of the backup; the registry has the one that this dispatch knows. */
  schema: number;
  /** Where the registry that stood there is now. */
  replaced: string | null;
  /** What was queued when the backup was made may have been delivered since: it waits for a person. */
  held: { ref: string; title: string; pending: number }[];
  counts: Record<string, number>;
}

/** Nobody may have `path` open. Throws `not_found`, `usage`, `storage`; then `path` is what it was. */
export function restore(from: string, path: string, now: number): Restored {
  const fresh = partialOf(path);
  try {
    refuseUnfit(from, path);
    const schema = copied(from, fresh);
    const held = prepared(fresh, now);
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
  const stands = statSync(path, { throwIfNoEntry: false });
  if (stands?.ino === found.ino && stands.dev === found.dev)
    fail("usage", `${from} is the registry itself`, { hint: "dispatch registry check lists the backups" });
}

/** Read through SQLite, since a registry that was set aside has a -wal of its own. Answers its schema. */
function copied(from: string, to: string): number {
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

/** Migrated first: a backup that cannot be is refused while the old registry still stands. */
function prepared(path: string, now: number): Restored["held"] {
  const db = openFile(path);
  try {
    migrate(db, path, now, { backup: false });
    return db.transaction(() => doubt(db, now)).immediate();
  } finally {
    closeDb(db);
  }
}

/**
 * The log goes another way from here on, so cursors of the old one must be refused: it gets another id. And what is
 * queued here may have been delivered since: nothing of it goes out before a person has said so.
 */
function doubt(db: Database, now: number): Restored["held"] {
  const { log_id } = db.query<{ log_id: string }, []>("SELECT log_id FROM meta").get()!;
  let other = log_id;
  while (other === log_id) other = crypto.randomUUID().slice(0, 8);
  db.query("UPDATE meta SET log_id = ?").run(other);
  // Context passes every hold, and no history shows it: it is given up.
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
 * Both names lead to the registry until the new one takes its place. Null where there was none. Of one whose log could
 * not be emptied, a crash between removing that log and the rename leaves the old name without it: only the kept one
 * is whole then.
 */
function setAside(path: string, now: number): string | null {
  if (existsSync(path)) emptyLog(path);
  const to = backupPath(path, "replaced", now);
  const rests = ["", "-wal"].filter((rest) => existsSync(`${path}${rest}`));
  for (const rest of rests) linkSync(`${path}${rest}`, `${to}${rest}`);
  syncDirectory(path);
  // SQLite would apply a -wal that is left to whatever stands under its name.
  for (const rest of ["-shm", "-wal"]) rmSync(`${path}${rest}`, { force: true });
  return rests.includes("") ? to : null;
}

/** So that the file alone is the whole registry. One that is too damaged for it is kept with its -wal. */
function emptyLog(path: string): void {
  try {
    closeDb(openFile(path));
  } catch {
    // Kept as it is: it is replaced because it is broken.
  }
}
