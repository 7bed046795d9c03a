/** Writes the carried plugin to `<home>/plugin`, from where the hosts install it, and removes it again. */
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { look, makeDirectory, ownerFault } from "../../base/directory.ts";
import { errorMessage, fail } from "../../base/error.ts";
import { quoted } from "../../base/privacy.ts";
import { newRef, systemRandom } from "../../base/random.ts";
import { marketplaceFiles } from "./files.ts";

export function unpackedIn(home: string): string {
  return join(home, "plugin");
}

/**
 * Replaces the folder as a whole, because Claude Code reads the plugin from it. Throws `usage` when something else is at
 * its path, `denied` in another user's home, and `storage`.
 */
export function unpack(home: string): void {
  const wrong = ownerFault(home) ?? makeDirectory(home);
  if (wrong) throw wrong;
  const folder = unpackedIn(home);
  refuseOther(folder);
  const mark = newRef(systemRandom);
  const [fresh, old] = [`${folder}.${mark}.new`, `${folder}.${mark}.old`];
  try {
    for (const [path, text] of marketplaceFiles) {
      mkdirSync(dirname(join(fresh, path)), { recursive: true, mode: 0o700 });
      writeFileSync(join(fresh, path), text, { mode: 0o600, flag: "wx" });
    }
    if (look(folder)) renameSync(folder, old);
    renameSync(fresh, folder);
  } catch (cause) {
    fail("storage", `could not write the plugin to ${folder}: ${errorMessage(cause)}`, { cause });
  } finally {
    for (const path of [fresh, old]) rmSync(path, { recursive: true, force: true });
  }
}

export function removeUnpacked(home: string): void {
  const folder = unpackedIn(home);
  refuseOther(folder);
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (cause) {
    fail("storage", `could not remove ${folder}: ${errorMessage(cause)}`, { cause });
  }
}

/** The first of these files that the folder does not have with this content, or undefined. */
export function differenceIn(folder: string, files: ReadonlyMap<string, string>): string | undefined {
  for (const [path, text] of files) if (textAt(join(folder, path)) !== text) return path;
  return undefined;
}

function textAt(path: string): string | undefined {
  try {
    return lstatSync(path).isFile() ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

function refuseOther(folder: string): void {
  const found = look(folder);
  if (found === undefined || found.isDirectory()) return;
  fail("usage", `${folder} is not a directory, and dispatch keeps its plugin there`, {
    hint: `mv ${quoted(folder)} ${quoted(`${folder}.away`)}`,
  });
}
