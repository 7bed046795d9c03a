/** A consistent copy of the registry while it is in use. */
import { Database } from "bun:sqlite";
import { chmodSync, existsSync, rmSync } from "node:fs";
import { fail } from "../base/error.ts";

/** Writes `to`, opens it again and checks it; throws `storage` and leaves nothing when it is not good. */
export function backup(db: Database, to: string): void {
  if (existsSync(to)) fail("storage", `the backup ${to} exists already`);
  db.query("VACUUM INTO ?").run(to);
  chmodSync(to, 0o600);
  const copy = new Database(to, { readonly: true });
  const verdict = copy.query<{ quick_check: string }, []>("PRAGMA quick_check").get()?.quick_check;
  copy.close();
  if (verdict === "ok") return;
  rmSync(to);
  fail("storage", `the backup ${to} failed its check: ${verdict}`);
}
