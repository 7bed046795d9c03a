/** The registry from outside the daemon, for `dispatch registry`. Changes need the instance lock beside it. */
import { statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Clock, iso, systemClock } from "../base/clock.ts";
import { look, makeDirectory, ownerFault, pathError } from "../base/directory.ts";
import { DispatchError, fail } from "../base/error.ts";
import { readLock } from "../base/flock.ts";
import { instanceIn } from "../base/instance.ts";
import type { Paths } from "../base/paths.ts";
import { quoted } from "../base/privacy.ts";
import type { Registry } from "../ops/ctx.ts";
import { backupPath, backupsOf } from "../store/backup.ts";
import { refuseEmptied } from "../store/db.ts";
import { type Inspection, inspectRegistry } from "../store/inspect.ts";
import { restore } from "../store/restore.ts";
import { backUpRegistry, migrateRegistry } from "../store/upkeep.ts";
import { takeInstance } from "./instance.ts";

/** `clock` is a parameter for tests. */
export function registryOf(paths: Paths, clock: Clock = systemClock): Registry {
  const { db } = paths;
  // Opening another user's registry creates files beside it that its owner cannot open.
  const foreign = ownerFault(paths.home) ?? ownerFault(dirname(db));
  if (foreign) throw foreign;
  return {
    async check() {
      const bytes = bytesOf(db);
      const backups = backupsOf(db).map(({ at, ...backup }) => ({ ...backup, at: iso(at) }));
      const running = readLock(paths.lock).held;
      const { faults, ...seen } = inspected(db);
      return { registry: db, bytes, running, sound: faults.length === 0, faults, ...seen, backups };
    },
    async backup(to) {
      bytesOf(db);
      const now = clock.now();
      const copy = backUpRegistry(db, now, to && backupFile(to, db, now));
      return { registry: db, backup: copy, bytes: bytesOf(copy) };
    },
    async migrate(options) {
      bytesOf(db);
      const done = await whileStopped({ paths, clock, command: "dispatch registry migrate" }, () =>
        migrateRegistry(db, clock.now(), options),
      );
      return { registry: db, ...done };
    },
    async restore(from) {
      const wrong = makeDirectory(paths.home) ?? makeDirectory(dirname(db));
      if (wrong) throw wrong;
      const done = await whileStopped({ paths, clock, command: "dispatch registry restore" }, () =>
        restore(from, db, clock.now()),
      );
      return { registry: db, restored: from, ...done };
    },
  };
}

/** The command to type when the registry is damaged. A registry that a restore replaced is not offered. */
export function restoreCommand(db: string): string {
  const newest = backupsOf(db).find(({ kind }) => kind !== "replaced");
  return newest
    ? `dispatch registry restore ${quoted(newest.path)}`
    : "dispatch registry restore PATH, with your own backup: there is none beside the registry";
}

/** Adds the restore command to an error of a damaged file. A file that only cannot be opened need not be replaced. */
export function withRestoreHint(thrown: unknown, db: string): unknown {
  if (!(thrown instanceof DispatchError)) return thrown;
  const sqlite = thrown.data?.["sqlite"];
  const isDamage = sqlite === undefined || /^SQLITE_(CORRUPT|NOTADB)/.test(String(sqlite));
  return isDamage
    ? new DispatchError(thrown.code, thrown.message, { hint: restoreCommand(db), cause: thrown })
    : thrown;
}

function bytesOf(db: string): number {
  let bytes: number | undefined;
  try {
    bytes = statSync(db, { throwIfNoEntry: false })?.size;
  } catch (cause) {
    throw pathError(`look at ${db}`, cause);
  }
  return bytes ?? fail("not_found", `there is no registry at ${db}`, { hint: "dispatch up" });
}

/** Inspects the whole registry. Throws with the restore command when it cannot be read at all. */
function inspected(db: string): Inspection {
  try {
    refuseEmptied(db);
    return inspectRegistry(db, "whole");
  } catch (thrown) {
    throw withRestoreHint(thrown, db);
  }
}

/** The file to write: in a folder, a file with a dated name. */
function backupFile(to: string, db: string, now: number): string {
  return look(to)?.isDirectory() ? join(to, basename(backupPath(db, "backup", now))) : to;
}

async function whileStopped<T>(
  { paths, clock, command }: { paths: Paths; clock: Clock; command: string },
  work: () => T,
): Promise<T> {
  const lock = await takeInstance(paths, clock, command);
  if (!lock) {
    const other = instanceIn(readLock(paths.lock).text);
    const who = other?.command ?? "the daemon";
    return fail("conflict", `${who}${other ? ` (pid ${other.pid})` : ""} has the registry open`, {
      hint: other?.command ? "wait until it has ended" : "dispatch down",
    });
  }
  try {
    return work();
  } finally {
    lock.release();
  }
}
