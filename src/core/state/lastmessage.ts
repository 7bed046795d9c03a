/** The final answer of the agent, stored with the thread. */
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Lane, LastMessage } from "../model/ports/rows.ts";
import type { ItemFacts } from "../model/ports/thread.ts";

/** Stores the agent's newest message of a turn on the lane. Inside an open transaction. */
export function noteAnswer(
  { store }: CoreDeps,
  lane: Lane,
  items: readonly ItemFacts[],
  turnId: string,
  now: number,
): void {
  const last = items.findLast((item) => item.type === "agent_message");
  if (last) store.lanes.set(lane.ref, { last_message: lastMessage(last, turnId, now) });
}

/** The final answer, whole up to a limit, so that `get` and `wait` need no read of the history. */
export function lastMessage(item: ItemFacts, turnId: string, now: number): LastMessage {
  const bytes = Buffer.from(item.text);
  const isCut = bytes.length > limits.thread.lastMessageBytesMax;
  return {
    text: isCut
      ? bytes
          .subarray(0, limits.thread.lastMessageBytesMax)
          .toString()
          .replace(/\ufffd$/, "")
      : item.text,
    truncated: isCut,
    turn_id: turnId,
    at: item.at ?? now,
  };
}
