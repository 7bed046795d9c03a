/** The caller of this process: its kind, its Codex thread and its directory. */
import { readEnv } from "../base/env.ts";
import { DispatchError, fail } from "../base/error.ts";
import { refuseOtherDirectory } from "../base/undecoded.ts";
import type { Caller } from "../ops/protocol.ts";

/**
 * A shell that Codex starts has the id of its thread in the environment. Over MCP each call carries it, so here it is
 * null. Throws `usage` when the current directory no longer exists.
 */
export function callerHere(kind: Caller["kind"]): Caller {
  const thread = kind === "cli" ? readEnv().CODEX_THREAD_ID : undefined;
  return { kind, thread_id: thread || null, cwd: currentDirectory() };
}

function currentDirectory(): string {
  try {
    const cwd = process.cwd();
    refuseOtherDirectory(cwd);
    return cwd;
  } catch (cause) {
    if (cause instanceof DispatchError) throw cause;
    return fail("usage", "the current directory no longer exists", {
      hint: "cd to one that exists",
      cause,
    });
  }
}
