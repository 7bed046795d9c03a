/** Asks core whether the caller may make a call. */
import type { Core } from "../core/core.ts";
import type { DaemonOp } from "../ops/op.ts";
import type { Caller } from "../ops/protocol.ts";

export interface Authorised {
  op: DaemonOp;
  input: Record<string, unknown>;
  caller: Caller;
}

/** Throws `denied`, and the errors of a selector. */
export function authorise(core: Core, { op, input, caller }: Authorised): void {
  const { thread, id } = input;
  core.authorizeAgentCall({
    cli: op.cli,
    isRead: op.intent === "read",
    reach: typeof op.reach === "function" ? op.reach(input) : (op.reach ?? "created"),
    thread: typeof thread === "string" ? thread : null,
    receipt: typeof id === "string" ? id : null,
    agent: () => caller.thread_id,
  });
}
