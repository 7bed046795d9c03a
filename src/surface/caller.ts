/** Who calls, and from where. */
import { readEnv } from "../base/env.ts";
import { fail } from "../base/error.ts";
import type { Caller } from "../ops/protocol.ts";

/** A shell of Codex carries the id of its thread; over MCP it comes with each call instead. */
export function callerHere(kind: Caller["kind"]): Caller {
  const thread = kind === "cli" ? readEnv().CODEX_THREAD_ID : undefined;
  return { kind, thread_id: thread || null, cwd: currentDirectory() };
}

function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (cause) {
    return fail("usage", "the current directory is gone", { hint: "cd to one that exists", cause });
  }
}
