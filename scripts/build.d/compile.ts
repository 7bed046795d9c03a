/** Compiles one program the way dispatch is compiled: for this machine, or for another with a given runtime. */
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { limits } from "../../src/base/limits.ts";

const root = resolve(import.meta.dir, "../..");

export interface Compile {
  /** The folder that gets `dispatch`, `dispatchd` and `maps/`. */
  into: string;
  /** Default: dispatch itself. */
  entry?: string;
  /** The runtime of another machine, as a file, and Bun's name of that machine. Default: this machine. */
  runtime?: { file: string; target: string };
}

/** Resolves with the paths of all source files inside, from the root. Throws what the bundler reports. */
export async function compile({
  into,
  entry = join(root, "src/main.ts"),
  runtime,
}: Compile): Promise<string[]> {
  // Built in another place and moved: a daemon may be running from the file, and a command may start at any moment.
  const aside = join(into, "aside");
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside, { recursive: true });
  // quick.ts with its imports, as one text, so that it becomes part of the entry chunk although other modules import
  // them too. Each further chunk takes 0.1 to 0.3 ms to load (measured).
  const quick = await inOnePiece("src/surface/cli/quick.ts");
  const built = await Bun.build({
    entrypoints: [entry],
    target: "bun",
    minify: true,
    // esm and splitting: otherwise lazy modules are parsed at every start, and consola's import.meta dies there (measured).
    bytecode: true,
    format: "esm",
    splitting: true,
    sourcemap: "linked",
    metafile: true,
    compile: {
      outfile: join(aside, "dispatch"),
      ...(runtime ? { executablePath: runtime.file, target: runtime.target as Bun.Build.CompileTarget } : {}),
      // Security: otherwise a repository's .env, and the preload of its bunfig.toml, would run inside our binary (measured).
      autoloadDotenv: false,
      autoloadBunfig: false,
    },
    plugins: [
      {
        name: "quick in one piece",
        setup(build) {
          build.onLoad({ filter: /\/surface\/cli\/quick\.ts$/ }, () => ({ contents: quick, loader: "js" }));
        },
      },
    ],
  });
  if (!built.success) throw new Error(built.logs.join("\n"));
  const maps = join(into, "maps");
  rmSync(maps, { recursive: true, force: true });
  mkdirSync(maps);
  for (const file of readdirSync(aside))
    renameSync(join(aside, file), join(file.endsWith(".map") ? maps : into, file));
  rmSync(aside, { recursive: true });
  rmSync(join(into, "dispatchd"), { force: true });
  symlinkSync("dispatch", join(into, "dispatchd"));
  return Object.keys(built.metafile?.inputs ?? {}).sort();
}

/** All limits are some 300 values, which take 0.3 ms to make (measured). The piece has those that it names. */
async function inOnePiece(path: string): Promise<string> {
  const whole = await bundled(path, limits);
  const named = Object.fromEntries(
    Object.entries(limits).flatMap(([group, values]) => {
      const keys = Object.keys(values).filter((key) => whole.includes(`limits.${group}.${key}`));
      return keys.length === 0
        ? []
        : [[group, Object.fromEntries(Object.entries(values).filter(([key]) => keys.includes(key)))]];
    }),
  );
  const piece = await bundled(path, named);
  const odd = piece.match(/\blimits\b(?!\.\w+\.\w|\.ts| = |;)/);
  if (odd)
    throw new Error(`${path} uses limits as a whole near: ${piece.slice(odd.index! - 80, odd.index! + 80)}`);
  return piece;
}

async function bundled(path: string, limits: object): Promise<string> {
  const { success, outputs, logs } = await Bun.build({
    entrypoints: [join(root, path)],
    target: "bun",
    format: "esm",
    minify: { syntax: true },
    plugins: [
      {
        name: "the limits that are named, and what is loaded only for a host",
        setup(build) {
          build.onResolve({ filter: /\/quickcall\.ts$/ }, ({ path }) => ({ path, external: true }));
          build.onLoad({ filter: /\/base\/limits\.ts$/ }, () => ({
            contents: `export const limits = ${JSON.stringify(limits)};`,
            loader: "js",
          }));
        },
      },
    ],
  });
  if (!success) throw new Error(logs.join("\n"));
  return outputs[0]!.text();
}
