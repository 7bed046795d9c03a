/** The registry from outside the daemon: what `dispatch registry` does. The lock beside it decides who may. */
import { statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Clock, iso, systemClock } from "../base/clock.ts";
import { look, makeDirectory, ownerFault } from "../base/directory.ts";
import { DispatchError, fail } from "../base/error.ts";
import { readLock } from "../base/flock.ts";
import type { Paths } from "../base/paths.ts";
import { quoted } from "../base/privacy.ts";
import type { Registry } from "../ops/ctx.ts";
import { backupPath, backupsOf } from "../store/backup.ts";
import { refuseEmptied } from "../store/db.ts";
import { type Inspection, inspectRegistry } from "../store/inspect.ts";
import { restore } from "../store/restore.ts";
import { backUpRegistry, migrateRegistry } from "../store/upkeep.ts";
import { instanceIn, takeInstance } from "./instance.ts";

/** `clock` is a parameter for tests. */
export function registryOf(paths: Paths, clock: Clock = systemClock): Registry {
  const { db } = paths;
  // To open a registry of another user makes files beside it that lock its owner out.
  const foreign = ownerFault(paths.home) ?? ownerFault(dirname(db));
  if (foreign) throw foreign;
  return {
    async check() {
      const bytes = bytesOf(db);
      const backups = backupsOf(db).map(({ at, ...one }) => ({ ...one, at: iso(at) }));
      const running = readLock(paths.lock).held;
      const { faults, ...seen } = inspected(db);
      return { registry: db, bytes, running, sound: faults.length === 0, faults, ...seen, backups };
    },
    async backup(to) {
      bytesOf(db);
      const now = clock.now();
      const made = backUpRegistry(db, now, to && placeFor(to, db, now));
      return { registry: db, backup: made, bytes: bytesOf(made) };
    },
    async migrate(options) {
      bytesOf(db);
      const done = await whileStopped(paths, clock, () => migrateRegistry(db, clock.now(), options));
      return { registry: db, ...done };
    },
    async restore(from) {
      const wrong = makeDirectory(paths.home) ?? makeDirectory(dirname(db));
      if (wrong) throw wrong;
      const done = await whileStopped(paths, clock, () => restore(from, db, clock.now()));
      return { registry: db, restored: from, ...done };
    },
  };
}

/** What to type when the file is not the registry that it was. What a restore set aside is no cure. */
export function cureOf(db: string): string {
  const newest = backupsOf(db).find(({ kind }) => kind !== "replaced");
  return newest
    ? `dispatch registry restore ${quoted(newest.path)}`
    : "dispatch registry restore PATH, of a backup of your own: none is beside it";
}

/** The same error with what to type: a file that cannot be opened is no reason to replace it. */
export function withCure(thrown: unknown, db: string): unknown {
  if (!(thrown instanceof DispatchError)) return thrown;
  const sqlite = thrown.data?.["sqlite"];
  const isDamage = sqlite === undefined || /^SQLITE_(CORRUPT|NOTADB)/.test(String(sqlite));
  return isDamage
    ? new DispatchError(thrown.code, thrown.message, { hint: cureOf(db), cause: thrown })
    : thrown;
}

function bytesOf(db: string): number {
  const there = statSync(db, { throwIfNoEntry: false });
  return there?.size ?? fail("not_found", `there is no registry at ${db}`, { hint: "dispatch up" });
}

/** What cannot be read as a registry at all is named with its way out. */
function inspected(db: string): Inspection {
  try {
    refuseEmptied(db);
    return inspectRegistry(db, "whole");
  } catch (thrown) {
    throw withCure(thrown, db);
  }
}

/** A folder gets a file with a dated name. */
function placeFor(to: string, db: string, now: number): string {
  return look(to)?.isDirectory() ? join(to, basename(backupPath(db, "backup", now))) : to;
}

async function whileStopped<T>(paths: Paths, clock: Clock, work: () => T): Promise<T> {
  const lock = await takeInstance(paths, clock);
  if (!lock) {
    const other = instanceIn(readLock(paths.lock).text);
    return fail(
      "conflict",
      `the daemon runs${other ? ` (pid ${other.pid})` : ""} and has the registry open`,
      {
        hint: "dispatch down",
      },
    );
  }
  try {
    return work();
  } finally {
    lock.release();
  }
}
