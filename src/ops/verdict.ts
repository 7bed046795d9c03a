/** The verdict of a wait: its text, and its exit status. The result itself is always on stdout. */
import * as v from "valibot";
import { type Code, codes } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { RequestView } from "../contract/request.ts";
import type { ThreadView } from "../contract/thread.ts";
import { type Verdict, verdicts } from "../contract/words.ts";
import type { Core } from "../core/core.ts";
import type { Ref } from "../core/model/ports/rows.ts";
import type { Caller } from "./protocol.ts";

export const verdict = v.picklist(verdicts);

/** The verdicts for a terminal. */
export const verdictWords: Record<Verdict, string> = {
  ok: "ok",
  turn_failed: "a turn or a sub-agent failed or was interrupted",
  cancelled: "cancelled before it was sent",
  blocked: "blocked: dispatch get THREAD shows the reason and the next command",
  needs_answer: "needs answer",
  unsure: "unsure",
  timeout: "timed out",
};

export function exitOf(verdict: Verdict | null | undefined): number {
  if (verdict === null || verdict === undefined || verdict === "ok") return 0;
  return codes[codeOf(verdict)].exit;
}

export function codeOf(verdict: Exclude<Verdict, "ok">): Code {
  if (verdict === "blocked") return "agent";
  return verdict === "cancelled" ? "conflict" : verdict;
}

/** The caller as the registry stores it: the id of its thread, else the kind of client. */
export function callerName(caller: Caller): string {
  return caller.thread_id ?? caller.kind;
}

/** The progress of a wait, in words. */
export function stillWaiting({ waiting }: Record<string, unknown>): string {
  return `still waiting for ${Array.isArray(waiting) ? waiting.join(", ") : "it"}`;
}

/** The open questions of these threads, long texts cut. */
export function asksOf(core: Core, threads: readonly ThreadView[]): RequestView[] {
  return threads
    .filter(({ requests }) => requests.length > 0)
    .flatMap(({ ref }) => core.requests({ ref: ref as Ref, all: false, limit: limits.mcp.asksMax }));
}

/**
 * The thread whose turn makes this call and waits for it. A tool call is part of the turn, by MCP or by a tool of the
 * thread's own, while a command may run longer than its turn.
 */
export function callerThread({ kind, thread_id }: Caller, core: Pick<Core, "refOf">): Ref | null {
  return kind !== "cli" ? core.refOf(thread_id) : null;
}
