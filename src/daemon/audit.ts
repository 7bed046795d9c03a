/** The audit row of a call: caller, op, thread, receipt and outcome. It never contains a text. */

import { DispatchError } from "../base/error.ts";
import type { Core } from "../core/core.ts";
import type { Audit } from "../core/engine.ts";
import type { Audited } from "./call.ts";

export function auditRow(core: Core, { caller, op, input, outcome, result }: Audited): Audit {
  const receipt = result?.["receipt"];
  return {
    caller:
      caller.thread_id === null
        ? caller.kind
        : `${caller.kind} in ${core.refOf(caller.thread_id) ?? caller.thread_id}`,
    op,
    lane: refIn(core, result?.["ref"] ?? result?.["thread"] ?? input["thread"], caller.thread_id),
    receipt: typeof receipt === "string" ? receipt : null,
    outcome,
  };
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
