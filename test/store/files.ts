/** Registry files on disk, in every state that a process can leave them in. */
import { Database } from "bun:sqlite";
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DispatchError } from "../../src/base/error.ts";
import { openStore } from "../../src/store/store.ts";
import { laneRow } from "./rows.ts";

export function registryFolder(): { folder: string; path: string; dispose(): void } {
  const folder = mkdtempSync(join(tmpdir(), "dispatch-registry-"));
  return { folder, path: join(folder, "registry.db"), dispose: () => rmSync(folder, { recursive: true }) };
}

/** A registry with one lane of this title. */
export function registryCalled(path: string, title: string): void {
  const store = openStore(path, 1);
  store.tx(() => store.lanes.add(laneRow({ title, handle: title })));
  store.close();
}

export function titleIn(path: string): string | null {
  const db = new Database(path, { readonly: true });
  try {
    return db.query<{ title: string }, []>("SELECT title FROM lanes").get()?.title ?? null;
  } finally {
    db.close();
  }
}

/** As a daemon that was killed leaves it: what was renamed last stands in the -wal alone. */
export function leftWithLog(path: string, title: string): void {
  const db = new Database(path);
  db.run("PRAGMA journal_mode = WAL");
  db.run("UPDATE lanes SET title = ?", [title]);
  for (const rest of ["", "-wal"]) copyFileSync(`${path}${rest}`, `${path}.kept${rest}`);
  db.close();
  rmSync(`${path}-wal`, { force: true });
  rmSync(`${path}-shm`, { force: true });
  for (const rest of ["", "-wal"]) {
    copyFileSync(`${path}.kept${rest}`, `${path}${rest}`);
    rmSync(`${path}.kept${rest}`);
  }
}

export const filesIn = (folder: string) => readdirSync(folder).sort();

export function refusal(fn: () => unknown): DispatchError {
  try {
    fn();
  } catch (thrown) {
    if (thrown instanceof DispatchError) return thrown;
    throw thrown;
  }
  throw new Error("it was not refused");
}
