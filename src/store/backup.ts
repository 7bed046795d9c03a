/** Consistent copies of the registry, made while it is in use, and the list of the copies beside it. */
import { Database } from "bun:sqlite";
import { closeSync, existsSync, fsyncSync, linkSync, openSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { iso } from "../base/clock.ts";
import { fail } from "../base/error.ts";
import { fileError } from "./errors.ts";

/**
 * Writes `to`: checked, synced, and for its owner only. Throws `conflict` when it exists, `storage`; then nothing is
 * left.
 */
export function backup(db: Database, to: string): void {
  if (existsSync(to)) failExists(to);
  const partial = partialOf(to);
  try {
    copy(db, partial);
    // A link, not a rename: a file that was created there meanwhile is never overwritten.
    linkSync(partial, to);
    syncDirectory(to);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "EEXIST") failExists(to);
    throw fileError(thrown, `writing the backup ${to}`);
  } finally {
    rmSync(partial, { force: true });
  }
}

/** The name for a file that becomes `to` when it is complete. */
export function partialOf(to: string): string {
  for (;;) {
    const path = `${to}.${crypto.randomUUID().slice(0, 8)}.partial`;
    if (!existsSync(path)) return path;
  }
}

/**
 * Writes a file that no other user could ever read, then opens it again and checks it. When it throws, it may leave the
 * file.
 */
export function copy(db: Database, to: string): void {
  // VACUUM INTO accepts an empty file. A file that it creates itself could be read by others.
  closeSync(openSync(to, "wx", 0o600));
  db.query("VACUUM INTO ?").run(to);
  const verdict = verdictOf(to);
  if (verdict !== "ok") fail("storage", `the copy of the registry failed its check: ${verdict}`);
  syncFile(to);
}

/** `ok`, or the fault that SQLite reports. */
function verdictOf(path: string): string {
  const db = new Database(path, { readonly: true });
  try {
    return db.query<{ quick_check: string }, []>("PRAGMA quick_check").get()?.quick_check ?? "no answer";
  } finally {
    db.close();
  }
}

export type BackupKind = "backup" | "before" | "replaced";

export interface Backup {
  path: string;
  /** Made by a person, before a migration, or set aside by a restore. */
  kind: BackupKind;
  at: number;
  bytes: number;
}

/**
 * `<registry>.backup.<moment>`, beside the registry, where its directory has the right mode. Uses the first moment from
 * `now` whose name is free: two copies may be made within a ms, and a clock may be set back.
 */
export function backupPath(registry: string, kind: BackupKind, now: number): string {
  for (let at = now; ; at++) {
    const path = `${registry}.${kind}.${iso(at).replace(/[-:.]/g, "")}`;
    if (!existsSync(path)) return path;
  }
}

/** The files with such names, newest first. */
export function backupsOf(registry: string): Backup[] {
  const folder = dirname(registry);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const found = names.flatMap((name): Backup[] => {
    const named = name.startsWith(`${basename(registry)}.`)
      ? stamped.exec(name.slice(basename(registry).length))
      : null;
    if (!named) return [];
    const [, kind, y, mo, d, h, mi, s, ms] = named;
    const path = join(folder, name);
    const at = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}.${ms}Z`);
    return [{ path, kind: kind as BackupKind, at, bytes: statSync(path).size }];
  });
  return found.toSorted((a, b) => b.at - a.at);
}

const stamped = /^\.(backup|before|replaced)\.(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/;

/** Removes automatic copies only, never a copy that a person made or a restore set aside. */
export function pruneBackups(registry: string, keep: number): void {
  const automatic = backupsOf(registry).filter(({ kind }) => kind === "before");
  for (const { path } of automatic.slice(keep)) rmSync(path);
}

export function syncDirectory(of: string): void {
  syncFile(dirname(of));
}

function syncFile(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function failExists(to: string): never {
  return fail("conflict", `${to} exists already`, { hint: "give the backup another name" });
}
