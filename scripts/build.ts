/** Builds dist/dispatch, and dist/dispatchd: the same file under the name of the daemon. */
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "..");
const dist = join(root, "dist");

const generated = Bun.spawnSync([process.execPath, join(root, "scripts/generate.ts")], {
  stdio: ["ignore", "inherit", "inherit"],
});
if (generated.exitCode !== 0) process.exit(generated.exitCode);

// Built in another place and moved: a daemon may be running from the file, and a command may start at any moment.
const aside = join(dist, "aside");
rmSync(aside, { recursive: true, force: true });
mkdirSync(aside, { recursive: true });
// quick.ts with its imports, as one text, so that it becomes part of the entry chunk although other modules import
// them too. Each further chunk takes 0.1 to 0.3 ms to load (measured).
const quick = await inOnePiece("src/surface/cli/quick.ts");
const built = await Bun.build({
  entrypoints: [join(root, "src/main.ts")],
  target: "bun",
  minify: true,
  // esm and splitting: otherwise lazy modules are parsed at every start, and consola's import.meta dies there (measured).
  bytecode: true,
  format: "esm",
  splitting: true,
  sourcemap: "linked",
  compile: {
    outfile: join(aside, "dispatch"),
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
if (!built.success) {
  await Bun.write(Bun.stderr, `${built.logs.join("\n")}\n`);
  process.exit(1);
}
rmSync(join(dist, "maps"), { recursive: true, force: true });
mkdirSync(join(dist, "maps"));
for (const file of readdirSync(aside))
  renameSync(join(aside, file), join(dist, file.endsWith(".map") ? "maps" : "", file));
rmSync(aside, { recursive: true });
rmSync(join(dist, "dispatchd"), { force: true });
symlinkSync("dispatch", join(dist, "dispatchd"));

async function inOnePiece(path: string): Promise<string> {
  const { success, outputs, logs } = await Bun.build({
    entrypoints: [join(root, path)],
    target: "bun",
    format: "esm",
    minify: { syntax: true },
    plugins: [
      {
        name: "trust is a piece of its own",
        // Loaded while the daemon works, and not before the call is sent.
        setup(build) {
          build.onResolve({ filter: /\/trust\.ts$/ }, ({ path }) => ({ path, external: true }));
        },
      },
    ],
  });
  if (!success) throw new Error(logs.join("\n"));
  return outputs[0]!.text();
}
