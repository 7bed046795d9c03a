/**
 * A message: something a caller gave us to deliver into a lane. This table is the rule; the registry's CHECK and
 * BEFORE UPDATE trigger repeat it, and a test holds the two against each other.
 */
import type { MessageState, Mode } from "../../contract/words.ts";
/**
 * From each state, where it may go.
 * `claimed -> queued`: a refusal that another try may get past, or the child died and history shows nothing.
 * `sent -> queued`: the child died after its answer, which is not durable, and history shows nothing.
 * `unsure -> ...`: only by a later proof or by hand.
 * `queued -> claimed` counts an attempt; each arrow back to `queued` goes to `failed` when none is left.
 */
export const transitions: Record<MessageState, readonly MessageState[]> = {
  queued: ["claimed", "cancelled", "failed"],
  claimed: ["sent", "delivered", "queued", "failed", "unsure"],
  sent: ["delivered", "queued", "failed", "unsure"],
  delivered: ["done"],
  unsure: ["delivered", "queued", "failed"],
  done: [],
  failed: [],
  cancelled: [],
};

export function isTerminal(state: MessageState): boolean {
  return transitions[state].length === 0;
}

/** Aimed at a running turn. A steer whose sender wanted the queue otherwise has no target then, and starts a turn. */
export function isSteering(message: { mode: Mode; target_turn_id: string | null }): boolean {
  return message.mode === "steer" && message.target_turn_id !== null;
}

/** Claimed or sent: the child may or may not have it. At most one a lane. */
export function isInFlight(state: MessageState): boolean {
  return state === "claimed" || state === "sent";
}
