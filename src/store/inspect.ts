/** What doctor wants to know of a registry, without the daemon and without changing it. */
import { Database } from "bun:sqlite";
import { storageError } from "./errors.ts";
import { schemaOf, supportedSchema } from "./migrate.ts";

export interface Inspection {
  schema: number;
  supported: number;
  quickCheck: string;
  counts: Record<string, number>;
}

/** Throws `storage` when the file cannot be read as a database. */
export function inspectRegistry(path: string): Inspection {
  try {
    const db = new Database(path, { readonly: true });
    try {
      const counts: Record<string, number> = {};
      for (const name of ["lanes", "turns", "messages", "requests", "events"]) {
        const isThere = db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name);
        if (isThere) counts[name] = db.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${name}`).get()!.n;
      }
      const quickCheck = db.query<{ quick_check: string }, []>("PRAGMA quick_check").get()!.quick_check;
      return { schema: schemaOf(db), supported: supportedSchema, quickCheck, counts };
    } finally {
      db.close();
    }
  } catch (thrown) {
    throw storageError(thrown, `reading ${path}`);
  }
}
