/** What caused a firing: how many hops of messages lie behind it, and what a message says of it. */
import { limits } from "../../base/limits.ts";
import type { Cause } from "../../contract/receipt.ts";
import type { EventRow } from "../model/events.ts";
import type { Message, Ref } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";

/** The chain behind a message, the nearest first. Throws `not_found`. */
export function causesOf(store: Store, id: string): Cause[] {
  const chain: Cause[] = [];
  if (!store.messages.find(id) && store.relay.findRelayed(id)) return chain;
  let message = store.messages.get(id);
  while (message.cause_id !== null && chain.length < limits.automation.depthMax * 2) {
    const cause = store.messages.find(message.cause_id);
    chain.push({ cause: message.cause_id, thread: cause?.lane ?? null, by: cause?.caller ?? null });
    if (!cause) break;
    message = cause;
  }
  return chain;
}

/** The message that the event is about, or that its turn answered; undefined: a person or an app did it. */
export function causeOf(store: Store, event: EventRow | null): Message | undefined {
  if (event === null) return undefined;
  if (event.receipt !== null) return store.messages.find(event.receipt);
  if (event.lane === null || event.turn_id === null) return undefined;
  // Of several that one turn answered the one with the longest chain, so that no loop is cut short.
  return store.messages.answeredBy(event.lane as Ref, event.turn_id, 1)[0];
}
