/** Reads what a registry is and whether it is sound, without the daemon and without a change. */
import type { Database } from "bun:sqlite";
import { limits } from "../base/limits.ts";
import type { EffectiveSettings, ThreadSettings } from "../core/model/ports/thread.ts";
import { openToRead } from "./db.ts";
import { storageError } from "./errors.ts";
import { refuseForeign, schemaOf, supportedSchema } from "./migrate.ts";

export interface Inspection {
  schema: number;
  supported: number;
  /** What is wrong with it; empty: it is sound. */
  faults: string[];
  counts: Record<string, number>;
  /** The Codex home to which its threads belong. */
  codex_home: string | null;
}

/** `whole` checks every index and every reference too. Throws `storage` when it cannot be read as a database. */
export function inspectRegistry(path: string, depth: "quick" | "whole" = "quick"): Inspection {
  try {
    const db = openToRead(path);
    try {
      const schema = schemaOf(db);
      if (schema === 0) refuseForeign(db, path);
      return {
        schema,
        supported: supportedSchema,
        counts: countsOf(db),
        codex_home: codexHomeOf(db),
        faults: faultsOf(db, depth),
      };
    } finally {
      db.close();
    }
  } catch (thrown) {
    throw storageError(thrown, `reading ${path}`);
  }
}

/** The settings of an own thread that may still run: as Codex reported them, and as they were requested. */
export interface KnownSettings {
  ref: string;
  title: string;
  cwd: string;
  effective: EffectiveSettings;
  settings: ThreadSettings;
}

/** Empty for a registry of an older schema. Throws `storage` when it cannot be read. */
export function inspectSettings(path: string): KnownSettings[] {
  try {
    const db = openToRead(path);
    try {
      if (schemaOf(db) !== supportedSchema) return [];
      const rows = db.query<Record<keyof KnownSettings, string>, []>(
        `SELECT ref, title, cwd, effective, settings FROM lanes
          WHERE source = 'own' AND effective IS NOT NULL
            AND forgotten_at IS NULL AND archived_at IS NULL AND gone_at IS NULL`,
      );
      return rows.all().map(({ ref, title, cwd, effective, settings }) => ({
        ref,
        title,
        cwd,
        effective: JSON.parse(effective) as EffectiveSettings,
        settings: JSON.parse(settings) as ThreadSettings,
      }));
    } finally {
      db.close();
    }
  } catch (thrown) {
    throw storageError(thrown, `reading ${path}`);
  }
}

function codexHomeOf(db: Database): string | null {
  const meta = db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'meta'").get();
  return meta
    ? (db.query<{ home: string | null }, []>("SELECT codex_home AS home FROM meta").get()?.home ?? null)
    : null;
}

function faultsOf(db: Database, depth: "quick" | "whole"): string[] {
  const pragma = depth === "quick" ? "quick_check" : "integrity_check";
  const rows = db.query<Record<string, string>, []>(`PRAGMA ${pragma}(${limits.store.faultsMax})`).all();
  const faults = rows.map((row) => row[pragma] ?? "no answer").filter((words) => words !== "ok");
  if (depth === "quick") return faults;
  const orphans = db.query<{ table: string; n: number }, []>(
    `SELECT "table", count(*) AS n FROM pragma_foreign_key_check GROUP BY "table"`,
  );
  return [...faults, ...orphans.all().map(({ table, n }) => `${n} rows of ${table} belong to nothing`)];
}

function countsOf(db: Database): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of ["lanes", "turns", "messages", "requests", "events"]) {
    const isThere = db.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name);
    // The table has its older name; users know threads.
    if (isThere)
      counts[name === "lanes" ? "threads" : name] = db
        .query<{ n: number }, []>(`SELECT count(*) AS n FROM ${name}`)
        .get()!.n;
  }
  return counts;
}
