/** How a wait ended, and the exit status that says so though the result is on stdout. */
import * as v from "valibot";
import { codes } from "../base/error.ts";
import { type Verdict, verdicts } from "../contract/words.ts";
import type { Core } from "../core/core.ts";
import type { Ref } from "../core/model/ports/rows.ts";
import type { Caller } from "./protocol.ts";

export const verdict = v.picklist(verdicts);

/** As a person reads it. */
export const verdictWords: Record<Verdict, string> = {
  ok: "ok",
  turn_failed: "a turn failed or was interrupted",
  blocked: "blocked: dispatch get THREAD says why, and what helps",
  needs_answer: "needs answer",
  unsure: "unsure",
  timeout: "timed out",
};

export function exitOf(said: Verdict | null | undefined): number {
  if (said === null || said === undefined || said === "ok") return 0;
  return codes[said === "blocked" ? "agent" : said].exit;
}

/** Who called, in one word for the registry: the thread it runs in, else the kind of client. */
export function callerName(caller: Caller): string {
  return caller.thread_id ?? caller.kind;
}

/** The thread whose turn stands still during this call: an MCP call is part of the turn, a command may outlive it. */
export function standing({ kind, thread_id }: Caller, core: Pick<Core, "refOf">): Ref | null {
  return kind === "mcp" ? core.refOf(thread_id) : null;
}
