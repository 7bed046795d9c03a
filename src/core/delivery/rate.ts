/** How often an agent may write to another one. */
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Ref } from "../model/ports/rows.ts";
import type { Draft } from "./accept.ts";

/** Two agents that answer each other would go on for ever. Throws `thread_busy`; a person is not limited. */
export function refuseFlood(
  { store, clock }: CoreDeps,
  ref: Ref,
  { caller, key }: Pick<Draft, "caller" | "key">,
): void {
  const sender = caller === null ? undefined : store.lanes.findByThread(caller);
  if (!sender || sender.ref === ref || (key !== null && store.messages.findByKey(key))) return;
  const { rateMax, rateWindowMs } = limits.automation;
  if (store.messages.countFrom(ref, caller!, clock.now() - rateWindowMs) < rateMax) return;
  fail(
    "thread_busy",
    `thread ${sender.ref} sent ${rateMax} messages to ${ref} within ${rateWindowMs / 1000} s`,
    { hint: "wait a minute, and send fewer and longer messages" },
  );
}
