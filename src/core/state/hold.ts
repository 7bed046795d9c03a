/**
 * A lane's hold: a flag with a reason; queued messages wait while it is set. All functions run inside an open
 * transaction.
 */
import type { QueueView } from "../../contract/thread.ts";
import type { HoldReason } from "../../contract/words.ts";
import type { Change } from "../model/journal.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";

/** A stronger reason stays: the end of a turn does not replace a hold by a person or by an unsure receipt. */
export function hold(store: Store, change: Change, ref: Ref, reason: HoldReason): void {
  const current = store.lanes.find(ref)?.hold_reason;
  if (current === undefined || (current !== null && strength[current] >= strength[reason])) return;
  store.lanes.set(ref, { hold_reason: reason });
  change.append({ kind: "queue.held", lane: ref, data: { reason } });
}

const strength: Record<HoldReason, number> = {
  failed: 0,
  stopped: 0,
  crashed: 0,
  settings_differ: 1,
  unsure: 2,
  by_hand: 3,
};

/** Whether anything may start under this hold. After a bad turn, a message that a person sends to run now may. */
export function mayPass(reason: HoldReason | null): boolean {
  return reason === null || reason === "failed" || reason === "stopped" || reason === "crashed";
}

/** A completed turn ends a hold that a bad turn set. */
export function lift(store: Store, change: Change, ref: Ref): void {
  const reason = store.lanes.find(ref)?.hold_reason;
  if (reason === "failed" || reason === "stopped" || reason === "crashed") release(store, change, ref);
}

export function release(store: Store, change: Change, ref: Ref): void {
  const reason = store.lanes.find(ref)?.hold_reason;
  if (!reason) return;
  store.lanes.set(ref, { hold_reason: null });
  change.append({ kind: "queue.released", lane: ref, data: { reason } });
}

/** Ends the hold `unsure` when no receipt is unsure any more. */
export function releaseUnsure(store: Store, change: Change, ref: Ref): void {
  const stillUnsure = store.messages.open(ref).some((message) => message.state === "unsure");
  if (!stillUnsure && store.lanes.find(ref)?.hold_reason === "unsure") release(store, change, ref);
}

/** `limit`: the usage limit that the queue waits for. */
export function queueView(
  lane: Pick<Lane, "ref" | "pending" | "hold_reason" | "blocked_reason" | "setup">,
  limit: { message: string } | null,
): QueueView {
  const { ref, pending, hold_reason, blocked_reason, setup } = lane;
  const isWaiting = pending > 0 || setup !== "ready";
  return {
    pending,
    held: hold_reason !== null,
    reason: hold_reason ?? (isWaiting ? (limit?.message ?? blocked_reason) : null),
    release: releaseCommand(ref, hold_reason),
  };
}

/** The command that ends the hold; null: nothing is held. An unsure message is settled through its receipt. */
export function releaseCommand(ref: Ref, reason: HoldReason | null): string | null {
  if (reason === null) return null;
  return reason === "unsure"
    ? `dispatch receipt list --thread ${ref} --state unsure`
    : `dispatch queue release ${ref}`;
}

/** The command that continues an interrupted goal; null: none is interrupted. */
export function resumeCommand({ ref, goal }: Lane): string | null {
  return goal?.interrupted === true ? `dispatch goal set ${ref} --status active` : null;
}
