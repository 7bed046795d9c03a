/** The product under another version, for tests of an upgrade. */
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

/** Builds this source as that version; the schemas of the ops in `changed` are others than they are. */
export async function buildAs(
  version: string,
  outfile: string,
  changed: readonly string[] = [],
): Promise<void> {
  const replaced = async (path: string, change: (text: string) => string) => {
    const text = await Bun.file(path).text();
    const contents = change(text);
    if (contents === text) throw new Error(`${path} has changed: look again at what is replaced in it`);
    return { contents, loader: "ts" as const };
  };
  const built = await Bun.build({
    entrypoints: [join(root, "src/main.ts")],
    target: "bun",
    compile: { outfile, autoloadDotenv: false, autoloadBunfig: false },
    plugins: [
      {
        name: "another version",
        setup(build) {
          build.onLoad({ filter: /\/src\/base\/version\.ts$/ }, ({ path }) =>
            replaced(path, (text) => text.replace("= pkg.version", `= "${version}"`)),
          );
          if (changed.length === 0) return;
          build.onLoad({ filter: /\/src\/ops\/index\.ts$/ }, ({ path }) =>
            replaced(path, (text) =>
              changed.reduce(
                (all, name) =>
                  all.replace(new RegExp(`(name: "${name}",[^}]*?hash: ")\\w+`, "g"), "$1000000000000"),
                text,
              ),
            ),
          );
        },
      },
    ],
  });
  if (!built.success) throw new Error(built.logs.join("\n"));
}
