/**
 * The features that an installed Codex lacks. The result is cached by the executable's path, size and mtime, and by the
 * list of features. The cache is on disk, because reading the schema doubles the start time of Codex (from 180 ms to
 * 340 ms, measured on a busy machine).
 */
import { closeSync, constants, renameSync, writeFileSync } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { basename } from "node:path";
import { readBounded } from "../base/bounded.ts";
import { sha256 } from "../base/digest.ts";
import { limits } from "../base/limits.ts";
import { openOwn } from "../base/ownfile.ts";
import type { Env } from "../base/spawn.ts";
import { features, type Lack, lacksOf } from "./features.ts";
import { offerOf } from "./offer.ts";
import { list, object, text } from "./read.ts";

/** Undefined when the schema cannot be read: then nothing is reported as missing. */
export type Capabilities = (executable: string) => Promise<readonly Lack[] | undefined>;

/** `file` stores the last result. */
export function capabilities({ env, file }: { env: Env; file?: string | undefined }): Capabilities {
  const known = new Map<string, readonly Lack[]>();
  return async (executable) => {
    const found = await stat(executable).catch(() => undefined);
    if (!found) return undefined;
    const key = sha256(JSON.stringify([features, executable, found.size, found.mtimeMs]));
    // The program behind a version manager's shim changes while the shim does not, so a shim is not cached.
    const isShim = basename(await realpath(executable)) !== basename(executable);
    const kept = isShim ? undefined : (known.get(key) ?? keptIn(file, key));
    const offer = kept ? undefined : await offerOf(executable, env);
    const lacks = kept ?? (offer && lacksOf(offer));
    if (!lacks) return undefined;
    known.set(key, lacks);
    if (!kept && !isShim) keep(file, key, lacks);
    return lacks;
  };
}

function keptIn(file: string | undefined, key: string): readonly Lack[] | undefined {
  if (file === undefined) return undefined;
  try {
    const kept = object(JSON.parse(readBounded(file, limits.codex.lacksBytesMax).toString()));
    if (kept?.["key"] !== key) return undefined;
    return list(kept["lacks"]).flatMap((lack) => {
      const feature = features.find(({ what }) => what === object(lack)?.["what"]);
      const needs = list(object(lack)?.["needs"]).flatMap((need) => text(need) ?? []);
      return feature ? [{ feature, needs }] : [];
    });
  } catch {
    // There is no file yet, or it is damaged: the schema is read again.
    return undefined;
  }
}

/** Stores the result for the next start. If that fails, the next start only takes longer. */
function keep(file: string | undefined, key: string, lacks: readonly Lack[]): void {
  if (file === undefined) return;
  try {
    const kept = { key, lacks: lacks.map(({ feature, needs }) => ({ what: feature.what, needs })) };
    const fd = openOwn(`${file}.new`, constants.O_CREAT | constants.O_WRONLY | constants.O_TRUNC);
    try {
      writeFileSync(fd, JSON.stringify(kept));
    } finally {
      closeSync(fd);
    }
    renameSync(`${file}.new`, file);
  } catch {
    // Most likely the disk is full, which is reported elsewhere.
  }
}
