/** Of a call, what the rule about agents looks at. A person's calls are not looked at. */
import type { Core } from "../core/core.ts";
import type { DaemonOp } from "../ops/op.ts";
import type { Caller } from "../ops/protocol.ts";

export interface Authorised {
  op: DaemonOp;
  input: Record<string, unknown>;
  caller: Caller;
}

/** Throws `denied`, and what a selector may throw. */
export function authorise(core: Core, { op, input, caller }: Authorised): void {
  if (caller.thread_id === null) return;
  const { thread, id } = input;
  core.authorizeAgentCall({
    cli: op.cli,
    isRead: op.intent === "read",
    reach: typeof op.reach === "function" ? op.reach(input) : (op.reach ?? "created"),
    thread: typeof thread === "string" ? thread : null,
    receipt: typeof id === "string" ? id : null,
    agent: caller.thread_id,
  });
}
