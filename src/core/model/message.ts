/**
 * A message is a text to deliver into a lane. The registry's CHECK and BEFORE UPDATE trigger repeat the table below,
 * and a test compares them.
 */
import type { MessageState, Mode } from "../../contract/words.ts";

/**
 * The states that may follow each state.
 * `relayed`: the stream of the relay has stored it for another machine. That machine takes it as `queued`, or refuses it.
 * `claimed -> queued`: a refusal that another attempt may get past; or the child died and history shows no message.
 * `sent -> queued`: the child died after its answer, which is not durable (facts F1), and history shows no message.
 * `unsure -> ...`: only by a later proof, or by a person.
 * `queued -> claimed` counts an attempt. When no attempt is left, each arrow back to `queued` goes to `failed`.
 */
export const transitions: Record<MessageState, readonly MessageState[]> = {
  relayed: ["queued", "failed"],
  queued: ["claimed", "cancelled", "failed"],
  claimed: ["sent", "delivered", "queued", "failed", "unsure"],
  sent: ["delivered", "queued", "failed", "unsure"],
  delivered: ["done"],
  unsure: ["delivered", "queued", "failed"],
  done: [],
  failed: [],
  cancelled: [],
};

/**
 * Whether a later report may say `to`. What another machine says of a message may leave out states between: reports are
 * made of its state at the time.
 */
export function mayFollow(from: MessageState, to: MessageState): boolean {
  const reached = new Set<MessageState>();
  const open = [from];
  for (const state of open)
    for (const next of transitions[state])
      if (!reached.has(next)) {
        reached.add(next);
        open.push(next);
      }
  return reached.has(to);
}

export function isTerminal(state: MessageState): boolean {
  return transitions[state].length === 0;
}

/** Aimed at a running turn. A steer with `or_queue` loses its target when that turn ends, and then starts a turn. */
export function isSteering(message: { mode: Mode; target_turn_id: string | null }): boolean {
  return message.mode === "steer" && message.target_turn_id !== null;
}

/** Claimed or sent: the child may have it. At most one for a lane. */
export function isInFlight(state: MessageState): boolean {
  return state === "claimed" || state === "sent";
}
