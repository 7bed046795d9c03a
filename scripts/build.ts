/** Builds dist/dispatch, and dist/dispatchd: the same file under the name of the daemon. */
import { join, resolve } from "node:path";
import { compile } from "./build.d/compile.ts";

const root = resolve(import.meta.dir, "..");

const generated = Bun.spawnSync([process.execPath, join(root, "scripts/generate.ts")], {
  stdio: ["ignore", "inherit", "inherit"],
});
if (generated.exitCode !== 0) process.exit(generated.exitCode);

try {
  await compile({ into: join(root, "dist") });
} catch (thrown) {
  await Bun.write(Bun.stderr, `${thrown instanceof Error ? thrown.message : thrown}\n`);
  process.exit(1);
}
