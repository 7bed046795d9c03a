/** The programs under measure, made from this source in this run's own folder. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../build.d/compile.ts";

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

/** Builds one program as scripts/build does, so that floor and product are built in the same way. Returns its path. */
export async function programOf(folder: string, name: string, source: string): Promise<string> {
  const place = join(folder, name);
  await compile({ into: place, entry: source });
  return join(place, "dispatch");
}
