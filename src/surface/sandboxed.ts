/** A client inside Codex's sandbox. */
import { readEnv } from "../base/env.ts";
import { DispatchError } from "../base/error.ts";

/** Inside Codex's sandbox a connect is refused, which looks like a dead daemon (facts F53). */
export function whenSandboxed(): DispatchError | undefined {
  const env = readEnv();
  if (env.CODEX_SANDBOX === undefined && env.CODEX_SANDBOX_NETWORK_DISABLED === undefined) return undefined;
  return new DispatchError(
    "denied",
    "this shell is sandboxed; use the dispatch MCP tools or ask to run outside the sandbox",
  );
}
