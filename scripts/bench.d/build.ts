/** The programs under measure, made from this source in this run's own folder. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");

export interface Built {
  dispatch: string;
  dispatchd: string;
  empty: string;
  idle: string;
}

export async function buildAll(folder: string): Promise<Built> {
  const program = (name: string, source: string) => programOf(folder, name, source);
  const written = (name: string, text: string) => {
    const path = join(folder, `${name}.ts`);
    writeFileSync(path, text);
    return path;
  };
  const dispatch = await program("product", join(root, "src/main.ts"));
  return {
    dispatch,
    dispatchd: `${dispatch}d`,
    empty: await program("empty", written("empty", "export {};\n")),
    idle: await program("idle", written("idle", "setInterval(() => {}, 2 ** 30);\nexport {};\n")),
  };
}

/** Builds one program as scripts/build does. Returns its path. */
export async function programOf(folder: string, name: string, source: string): Promise<string> {
  const recipe = await Bun.file(join(root, "scripts/build.ts")).text();
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  await buildAs(recipe, source, place);
  return join(place, "dispatch");
}

/** scripts/build with another entry and another output, so that floor and product are built in the same way. */
async function buildAs(recipe: string, entry: string, place: string): Promise<void> {
  const changes = [
    ['resolve(import.meta.dir, "..")', root],
    ['join(root, "dist")', place],
    ['join(root, "src/main.ts")', entry],
  ] as const;
  let text = recipe;
  for (const [from, to] of changes) {
    if (text.split(from).length !== 2)
      throw new Error(`scripts/build has changed: it does not contain ${from} exactly once`);
    text = text.replace(from, () => JSON.stringify(to));
  }
  const script = `${place}.build.ts`;
  writeFileSync(script, text);
  const child = Bun.spawn([process.execPath, script], { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
  const stderr = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`building ${entry}: ${stderr}`);
}
