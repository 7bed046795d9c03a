/** Runs Codex in the user's terminal, with the same executable as the daemon. */
import { inheritedEnv, readEnv } from "../base/env.ts";
import { fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { pathsOf } from "../base/paths.ts";
import { run, runInTerminal } from "../base/spawn.ts";
import { findCodex } from "../codex/find.ts";
import { configuredCodex } from "./config.ts";

/** Returns Codex's exit status. */
export async function runCodexInTerminal(args: readonly string[]): Promise<number> {
  const env = readEnv();
  const configured = configuredCodex(pathsOf(env).config);
  const codex = await findCodex({ named: env.DISPATCH_CODEX, configured, path: env.PATH });
  return runInTerminal([codex, ...args, ...(await privateFlag(codex, args))], inheritedEnv());
}

/** Shows a file by the system's own program for it. Throws `not_found`. */
export async function showFile(path: string): Promise<void> {
  const program = process.platform === "darwin" ? "open" : "xdg-open";
  const { code } = await run([program, path], {
    timeoutMs: limits.process.toolTimeoutMs,
    bytesMax: limits.codex.lacksBytesMax,
    env: inheritedEnv(),
  }).catch((cause: unknown) => ({ code: null, cause }));
  if (code !== 0) fail("not_found", `${program} did not show ${path}`, { hint: `open ${path} in a browser` });
}

/**
 * A resume without `--no-daemon` starts Codex's shared daemon, which keeps the thread and its lock for 60 s after the
 * terminal is closed (facts C3.6). A Codex that does not list the flag refuses it.
 */
async function privateFlag(codex: string, args: readonly string[]): Promise<string[]> {
  if (args[0] !== "resume") return [];
  const { stdout } = await run([codex, "resume", "--help"], {
    timeoutMs: limits.process.toolTimeoutMs,
    bytesMax: limits.codex.lacksBytesMax,
    env: inheritedEnv(),
  });
  return /^\s*--no-daemon\b/m.test(stdout) ? ["--no-daemon"] : [];
}
