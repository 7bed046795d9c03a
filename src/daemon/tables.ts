/** `[defaults]` and `[presets.NAME]`: the fields of `new`, in the user's file and in a repository's. */
import { lstatSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import * as v from "valibot";
import { isThere } from "../base/directory.ts";
import { fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { ownUid } from "../base/privacy.ts";
import { repositoryOf } from "../base/repository.ts";
import type { ConfigFiles, Tables, Values } from "../core/model/config.ts";
import { markOf } from "../ops/fields.ts";
import { choiceFields, pair } from "../ops/settings.ts";
import { isWithin } from "./containment.ts";
import { readToml } from "./toml.ts";

/** The keys: a text may be in a file (`..._file`), paths are relative to the configuration file, `config` may be a table. */
function tableEntries(): Record<string, v.GenericSchema> {
  const path = v.optional(v.pipe(v.string(), v.nonEmpty()));
  const entries: Record<string, v.GenericSchema> = {};
  for (const [field, schema] of Object.entries(choiceFields)) {
    entries[field] = markOf(schema).path ? path : schema;
    if (markOf(schema).text) entries[`${field}_file`] = path;
  }
  entries["config"] = v.optional(v.union([choiceFields.config.wrapped, v.record(v.string(), v.unknown())]));
  return entries;
}

type Raw = Record<string, unknown>;

const { preset, ...inPreset } = tableEntries();
const table = (entries: Record<string, v.GenericSchema>) =>
  v.strictObject(entries) as v.GenericSchema<Raw, Raw>;

export const tableSchemas = {
  defaults: v.optional(table({ ...inPreset, preset: preset! }), {}),
  presets: v.optional(v.record(v.string(), table(inPreset)), {}),
};

const repositorySchema = v.strictObject(tableSchemas);

export function tablesOf(
  file: string,
  { defaults, presets }: { defaults: Raw; presets: Record<string, Raw> },
  home: string,
): Tables {
  const values = (table: string, raw: Raw) => valuesOf(raw, { file, table, home });
  return {
    file,
    defaults: values("defaults", defaults),
    presets: Object.fromEntries(
      Object.entries(presets).map(([name, raw]) => [name, values(`presets.${name}`, raw)]),
    ),
  };
}

function valuesOf(raw: Raw, where: { file: string; table: string; home: string }): Values {
  const values: Raw = {};
  const resolved = (path: string) => absolute(path, dirname(where.file), where.home);
  for (const [key, value] of Object.entries(raw)) {
    const field = key.endsWith("_file") ? key.slice(0, -"_file".length) : key;
    if (field !== key) {
      if (Object.hasOwn(raw, field))
        fail("usage", `${where.file}: [${where.table}] has both ${field} and ${key}`, {
          hint: `edit ${where.file}`,
        });
      values[field] = { file: resolved(String(value)) };
    } else if (key === "config") Object.assign(values, codexValues(value));
    else values[key] = key === "cwd" ? resolved(String(value)) : value;
  }
  return values;
}

function codexValues(config: unknown): Raw {
  const pairs = Array.isArray(config)
    ? config.map((line) => pair(String(line)))
    : Object.entries(config as Raw);
  return Object.fromEntries(pairs.map(([key, value]) => [`config.${key}`, value]));
}

export function absolute(path: string, base: string, home: string): string {
  return path === "~" || path.startsWith("~/") ? join(home, path.slice(1)) : resolve(base, path);
}

/** The user's home, and dispatch's home. */
export interface Homes {
  home: string;
  dispatch: string;
}

/** The user's tables and those of the directory's repository. Throws `usage` for a broken file. */
export function configFiles(
  own: Tables,
  trusted: readonly string[],
  directory: string,
  homes: Homes,
  uid?: number,
): ConfigFiles {
  const found = repositoryTables(directory, homes, uid);
  if (found === undefined) return { own, repository: null };
  const root = rootOf(found.file);
  const isTrusted = trusted.some((path) => isWithin(root, absolute(path, homes.dispatch, homes.home)));
  const tables = tablesOf(found.file, found, homes.home);
  return { own, repository: { ...tables, confinedTo: isTrusted ? null : root } };
}

/** The tables of a repository's file as written. Throws `usage` for a broken file, and for a link out of the repository. */
export function repositoryTables(directory: string, homes: Homes, uid = ownUid()) {
  const file = repositoryFile(directory, homes, uid);
  if (file === undefined) return undefined;
  if (!isWithin(file, rootOf(file)))
    fail("usage", `${file} is a link to a file outside its repository`, { hint: `readlink -f ${file}` });
  return { file, ...readToml(file, repositorySchema, limits.config.repositoryBytesMax) };
}

/** The root of the repository that the configuration file belongs to. */
function rootOf(file: string): string {
  const holder = dirname(dirname(file));
  return repositoryOf(holder) ?? holder;
}

/**
 * The nearest configuration file, in the directory or above it up to the repository's root. Outside a repository only
 * the directory itself counts, because others may write above it, as in /tmp. The user's home and dispatch's home do
 * not count as repositories.
 */
function repositoryFile(directory: string, { home, dispatch }: Homes, uid: number): string | undefined {
  const root = repositoryOf(directory) ?? directory;
  for (let at = directory; ; at = dirname(at)) {
    const folder = join(at, ".dispatch");
    const file = join(folder, "config.toml");
    if (at !== home && folder !== dispatch && at !== dispatch && isThere(file)) {
      const owners = ownersOf(folder, file);
      // Another user's file is not read.
      if (owners.length > 0 && owners.every((owner) => owner === uid || owner === 0)) return file;
    }
    if (at === root) return undefined;
  }
}

/**
 * Of a file that may not be looked at only the folder's: reading it then says why it cannot be read. None where the
 * folder cannot be looked at either: then the directory around it is closed, and no thread works in it.
 */
function ownersOf(folder: string, file: string): number[] {
  const owners: number[] = [];
  try {
    owners.push(lstatSync(folder).uid);
    owners.push(lstatSync(file).uid, statSync(file).uid);
  } catch {
    // Those that are known decide.
  }
  return owners;
}
