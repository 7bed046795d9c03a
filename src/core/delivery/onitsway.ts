/** Whether the caller of a send may soon hear more than that its message is stored. */
import { isSteering } from "../model/message.ts";
import type { Store } from "../model/ports/store.ts";

/** It is claimed, or about to be for the first time: what waits behind others, or behind a hold, is not. */
export function isOnItsWay({ messages, lanes }: Store, id: string): boolean {
  const message = messages.get(id);
  if (message.state === "claimed") return true;
  if (message.state !== "queued" || message.attempt > 0) return false;
  if (isSteering(message) || message.mode === "context") return true;
  const isHeld = lanes.find(message.lane)?.hold_reason != null;
  return messages.next(message.lane, isHeld)?.id === message.id;
}
