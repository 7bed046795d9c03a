/** Which Codex thread makes a tool call. */
import { unknownAgent } from "../../base/agentid.ts";
import { fail } from "../../base/error.ts";
import { jsonObject } from "../../base/jsonobject.ts";

/**
 * Codex names the thread in two places of `_meta`; the environment of this process names only the thread that started
 * the server. Turn metadata without a thread id still comes from an agent. Null: no thread of Codex.
 */
export function callingThread(meta: Record<string, unknown> | undefined): string | null {
  const about = meta?.["x-codex-turn-metadata"];
  const turn = jsonObject(typeof about === "string" ? about : JSON.stringify(about ?? {}));
  const claims = [meta?.["threadId"], turn?.["thread_id"]].filter((claim) => (claim ?? "") !== "");
  const threads = new Set(claims);
  // If an unreadable claim counted as a person, an agent could avoid the limits for agents.
  if (turn === undefined || claims.some((claim) => typeof claim !== "string") || threads.size > 1)
    return fail("usage", "the thread id in the _meta of the call is not valid", {
      hint: "threadId must be a string, and _meta may name only one thread",
    });
  const [thread] = threads as Set<string>;
  const isFromCodex = about !== undefined || meta?.["threadId"] !== undefined;
  return thread ?? (isFromCodex ? unknownAgent : null);
}
