/**
 * What an installed Codex lacks, told once a file: by its path, size and time, and by what dispatch asks for. Kept on
 * disk, since asking doubles the time of a start of Codex (180 ms, and then 340; measured on a busy machine).
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

/** Answers undefined when it cannot be told: then nothing is claimed. */
export type Capabilities = (executable: string) => Promise<readonly Lack[] | undefined>;

/** `file` keeps what was told last. */
export function capabilities({ env, file }: { env: Env; file?: string | undefined }): Capabilities {
  const known = new Map<string, readonly Lack[]>();
  return async (executable) => {
    const found = await stat(executable).catch(() => undefined);
    if (!found) return undefined;
    const key = sha256(JSON.stringify([features, executable, found.size, found.mtimeMs]));
    // What stands behind a version manager's shim changes while the shim does not: it is asked at each start.
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
    // None yet, or not whole: it is asked again.
    return undefined;
  }
}

/** For the next start: one that cannot be written only costs that start its time. */
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
    // A full disk, most likely, which is told where it matters.
  }
}
