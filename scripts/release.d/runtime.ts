/** The runtime of a target: Bun's own executable, from its npm package, by the hash that is written in the target. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { output } from "./command.ts";
import { bunVersion, type Target } from "./targets.ts";

/** Resolves with the path of the executable. `cache` keeps the package: the hash is checked each time. */
export async function runtimeOf(target: Target, cache: string): Promise<string> {
  mkdirSync(cache, { recursive: true });
  const base = `${target.runtime.package.replace("@", "").replace("/", "-")}-${bunVersion}`;
  const file = join(cache, `${base}.tgz`);
  if (!existsSync(file)) {
    const from = `${target.runtime.package}@${bunVersion}`;
    await output(["npm", "pack", from, "--silent", "--pack-destination", cache]);
  }
  verify(file, target.runtime.integrity);
  const folder = join(cache, base);
  const fresh = `${folder}.new`;
  for (const path of [folder, fresh]) rmSync(path, { recursive: true, force: true });
  mkdirSync(fresh);
  await output(["tar", "-xzf", file, "-C", fresh]);
  renameSync(fresh, folder);
  return join(folder, "package/bin/bun");
}

/** Throws when the file is not the one with this hash, in npm's form. The file is then removed. */
export function verify(file: string, integrity: string): void {
  const found = `sha512-${createHash("sha512").update(readFileSync(file)).digest("base64")}`;
  if (found === integrity) return;
  rmSync(file);
  throw new Error(
    `${file} has the hash ${found}, not ${integrity}: for another version of Bun change scripts/release.d/targets.ts`,
  );
}
