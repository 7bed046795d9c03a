/** The audit row of a call: caller, op, thread, receipt and outcome. It never contains a text. */

import { unknownAgent } from "../base/agentid.ts";
import { DispatchError } from "../base/error.ts";
import type { Core } from "../core/core.ts";
import type { Audit } from "../core/engine.ts";
import type { Audited } from "./call.ts";

export function auditRow(core: Core, { caller, op, input, outcome, result }: Audited): Audit {
  const receipt = result?.["receipt"];
  const thread = threadOf(caller);
  return {
    caller: thread === null ? caller.kind : `${caller.kind} in ${core.refOf(thread) ?? thread}`,
    op,
    lane: refIn(core, result?.["ref"] ?? result?.["thread"] ?? input["thread"], thread),
    receipt: typeof receipt === "string" ? receipt : null,
    outcome,
  };
}

/** A process that ended before it was looked at was denied. It is an agent as far as can be told. */
function threadOf(caller: Audited["caller"]): string | null {
  try {
    return caller.thread_id;
  } catch (thrown) {
    if (thrown instanceof DispatchError) return unknownAgent;
    throw thrown;
  }
}

function refIn(core: Core, word: unknown, self: string | null): Audit["lane"] {
  if (typeof word !== "string") return null;
  try {
    return core.resolve(word, self);
  } catch (thrown) {
    // A call with an unknown thread gets a row too.
    if (thrown instanceof DispatchError) return null;
    throw thrown;
  }
}
