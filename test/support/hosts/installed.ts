/**
 * Hosts from npm that are too large for every checkout's node_modules. They are installed into `.scratch/hosts` by the
 * first test that needs one, once for each content of `package.json` beside this file, which has the exact versions.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { openLock } from "../../../src/base/flock.ts";

const root = resolve(import.meta.dir, "../../..");
const folder = join(root, ".scratch/hosts");
const wanted = join(import.meta.dir, "package.json");

/** For a `beforeAll`: 1 GB from the registry of npm. */
export const installMs = 300_000;

/** The native executable of Claude Code. It needs no Node and no install script. */
export async function claudeExecutable(): Promise<string> {
  const other = process.env["CLAUDE_UNDER_TEST"];
  if (other) return other;
  await installOnce();
  const platform = `claude-code-${process.platform}-${process.arch}`;
  const found = [platform, `${platform}-musl`]
    .map((name) => join(folder, "node_modules/@anthropic-ai", name, "claude"))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error(`npm installed no Claude Code for ${platform}`);
  return found;
}

/** A Node that is new enough for the tools of the protocol: they need 22. */
export function nodeExecutable(): Promise<string> {
  return installedPath(`node-${process.platform}-${process.arch}/bin/node`);
}

/** A file of one of the packages. */
export async function installedPath(file: string): Promise<string> {
  await installOnce();
  return join(folder, "node_modules", file);
}

/** Two test files may come at once: the lock is of the kernel, so a killed run leaves nothing behind. */
async function installOnce(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const text = await Bun.file(wanted).text();
  const mark = Bun.file(join(folder, "node_modules/.installed-from.json"));
  const isDone = async () => (await mark.exists()) && (await mark.text()) === text;
  const until = Date.now() + installMs;
  for (;;) {
    if (await isDone()) return;
    const lock = openLock(join(folder, "install.lock"));
    if (lock) {
      try {
        if (await isDone()) return;
        await Bun.write(join(folder, "package.json"), text);
        await npmInstall();
        await Bun.write(mark, text);
        return;
      } finally {
        lock.release();
      }
    }
    if (Date.now() > until) throw new Error("another test installs the hosts for too long");
    await Bun.sleep(200);
  }
}

async function npmInstall(): Promise<void> {
  const flags = ["--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"];
  const child = Bun.spawn(["npm", "install", ...flags], {
    cwd: folder,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: installMs,
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`npm install of the hosts ended with ${code}: ${err}${out}`);
}
