/** A lane's hold: the flag, with its reason, that keeps what is queued waiting. All run inside an open transaction. */
import type { QueueView } from "../../contract/thread.ts";
import type { HoldReason } from "../../contract/words.ts";
import type { Change } from "../model/journal.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";

/** A stronger reason stays: what a person or an unsure receipt holds, a turn's end does not rename. */
export function hold(store: Store, change: Change, ref: Ref, reason: HoldReason): void {
  const now = store.lanes.find(ref)?.hold_reason;
  if (now === undefined || (now !== null && strength[now] >= strength[reason])) return;
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

/** Whether anything may start under this hold: what a bad turn held still lets pass what a person asks to run now. */
export function mayPass(reason: HoldReason | null): boolean {
  return reason === null || reason === "failed" || reason === "stopped" || reason === "crashed";
}

/** A completed turn lifts what a bad turn held. */
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

/** Once nothing unsure is left, what it held goes on. */
export function releaseUnsure(store: Store, change: Change, ref: Ref): void {
  const stillUnsure = store.messages.open(ref).some((message) => message.state === "unsure");
  if (!stillUnsure && store.lanes.find(ref)?.hold_reason === "unsure") release(store, change, ref);
}

/** `limit`: the usage limit that it waits for. */
export function queueView(
  lane: Pick<Lane, "ref" | "pending" | "hold_reason" | "blocked_reason" | "setup">,
  limit: { words: string } | null,
): QueueView {
  const { ref, pending, hold_reason, blocked_reason, setup } = lane;
  const isWaiting = pending > 0 || setup !== "ready";
  return {
    pending,
    held: hold_reason !== null,
    reason: hold_reason ?? (isWaiting ? (limit?.words ?? blocked_reason) : null),
    release: releaseCommand(ref, hold_reason),
  };
}

/** The command to type to end a hold, or null where nothing is held. What is unsure is settled by its receipt. */
export function releaseCommand(ref: Ref, reason: HoldReason | null): string | null {
  if (reason === null) return null;
  return reason === "unsure"
    ? `dispatch receipt list --thread ${ref} --state unsure`
    : `dispatch queue release ${ref}`;
}

/** The command that continues an interrupted goal; null where none is interrupted. */
export function resumeCommand({ ref, goal }: Lane): string | null {
  return goal?.interrupted === true ? `dispatch goal set ${ref} --status active` : null;
}
