/** Codex in the user's own terminal: the same executable that the daemon runs. */
import { inheritedEnv, readEnv } from "../base/env.ts";
import { runInTerminal } from "../base/spawn.ts";
import { findCodex } from "../codex/find.ts";

export async function runCodexHere(args: readonly string[]): Promise<number> {
  const { DISPATCH_CODEX, PATH } = readEnv();
  return runInTerminal([await findCodex({ named: DISPATCH_CODEX, path: PATH }), ...args], inheritedEnv());
}
