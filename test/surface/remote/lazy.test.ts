import { expect, test } from "bun:test";
import { dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../../..");
const statement = /^(?:import|export)\s+(?!type\b)[^"';]*?from\s*"(\.[^"]+)"/gm;

/** The files that loading this one loads, without what is loaded lazily. */
async function loadedBy(entry: string, seen = new Set<string>()): Promise<Set<string>> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  const text = await Bun.file(join(root, entry)).text();
  for (const [, from] of text.matchAll(statement)) {
    const target = join(dirname(entry), from!);
    if (target.endsWith(".ts")) await loadedBy(target, seen);
  }
  return seen;
}

test("a command that names no host loads nothing of other machines", async () => {
  for (const entry of ["src/surface/cli/quick.ts", "src/surface/cli/run.ts", "src/surface/cli/execute.ts"]) {
    const loaded = [...(await loadedBy(entry))];
    expect(loaded.length).toBeGreaterThan(10);
    expect(loaded.filter((file) => file.startsWith("src/surface/remote/"))).toEqual([]);
  }
});
