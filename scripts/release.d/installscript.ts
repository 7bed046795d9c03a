/** The install script of one release, with its address and its checksums inside. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import pkg from "../../package.json";

/** `sums`: SHA-256 by the name of the target. */
export function installScript(url: string, sums: ReadonlyMap<string, string>): string {
  const table = [...sums].map(([name, sum]) => `${name} ${sum}`).join("\n");
  return readFileSync(join(import.meta.dir, "install.sh"), "utf8")
    .replaceAll("{version}", pkg.version)
    .replace("{url}", () => url)
    .replace("{sums}", () => table);
}
