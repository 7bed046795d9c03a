/** Codex in the user's own terminal: the same executable that the daemon runs. */
import { inheritedEnv, readEnv } from "../base/env.ts";
import { pathsOf } from "../base/paths.ts";
import { runInTerminal } from "../base/spawn.ts";
import { findCodex } from "../codex/find.ts";
import { configuredCodex } from "./config.ts";

export async function runCodexHere(args: readonly string[]): Promise<number> {
  const env = readEnv();
  const configured = configuredCodex(pathsOf(env).config);
  const codex = await findCodex({ named: env.DISPATCH_CODEX, configured, path: env.PATH });
  return runInTerminal([codex, ...args], inheritedEnv());
}
