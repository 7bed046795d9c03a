/** The end of a turn, and what follows when a usage limit cut it. All functions run inside an open transaction. */
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Lane, MessageId } from "../model/ports/rows.ts";
import { cancelToolCalls } from "../requests/toolcall.ts";
import { writeLock } from "../state/lane.ts";
import { type TurnEnd, turnEnded } from "../state/turn.ts";
import { beginLimit, usageLimitPolicy } from "../state/usagelimit.ts";
import { accept, plain } from "./accept.ts";

/**
 * A turn that a usage limit cut is not run again: its text is in the history (facts C1.3). The messages behind it go on
 * by themselves.
 */
export function endTurn(deps: CoreDeps, change: Change, lane: Lane, end: TurnEnd): void {
  const { store } = deps;
  cancelToolCalls(deps, change, { lane: lane.ref, turn_id: end.turn_id }, "its turn ended");
  const known = store.turns.find(lane.ref, end.turn_id);
  const isOver = known !== undefined && known.status !== "in_progress";
  if (isOver || end.status !== "failed" || !beginLimit(deps, change, lane, end.error)) {
    turnEnded(store, change, lane, end);
    return;
  }
  const policy = usageLimitPolicy(deps);
  const cause = store.messages.ofTurn(lane.ref, end.turn_id)[0]?.id ?? null;
  turnEnded(store, change, lane, policy.continue === "queue" ? { ...end, holds: false } : end);
  if (policy.nudge !== null) nudge(deps, change, lane, { text: policy.nudge, cause_id: cause });
}

/**
 * Queued ahead of the rest, in the same transaction: exactly one for each turn that was cut, whichever process dies.
 */
function nudge(
  deps: CoreDeps,
  change: Change,
  { ref }: Lane,
  own: { text: string; cause_id: MessageId | null },
): void {
  const { store, log } = deps;
  const lane = store.lanes.find(ref);
  if (lane?.source !== "own" || writeLock(lane) !== null) return;
  if (lane.pending >= limits.message.queuedPerThreadMax) {
    log.warn("a thread that a usage limit cut gets no nudge: its queue is full", { lane: ref });
    return;
  }
  const draft = { ...plain, mode: "queue" as const, ...own };
  const message = accept(deps, lane, draft, { at: "front", now: change.now });
  change.append({
    kind: "message.queued",
    lane: ref,
    receipt: message.id,
    data: { mode: "queue", by: "nudge" },
  });
}
