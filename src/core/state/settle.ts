/**
 * The transitions of turns, messages and holds, each in one place, whatever causes it: an event of the child, a read of
 * its history, or a person. All functions run inside an open transaction.
 */

import { limits } from "../../base/limits.ts";
import type { MessageState } from "../../contract/words.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import { isSteering } from "../model/message.ts";
import type { Message, MessageError, Ref, Turn } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";
import { hold, releaseUnsure } from "./hold.ts";

type MessageChange = Parameters<Store["messages"]["set"]>[1];

/** Moves a message to another state, with the event that reports it. */
export function move(
  store: Store,
  change: Change,
  message: Message,
  to: Exclude<MessageState, "relayed">,
  more: MessageChange = {},
): void {
  store.messages.set(message.id, { ...more, state: to, updated_at: change.now });
  change.append({
    kind: `message.${to}`,
    lane: message.lane,
    receipt: message.id,
    turn_id: more.turn_id ?? message.turn_id,
    data: {
      attempt: more.attempt ?? message.attempt,
      mode: message.mode,
      ...(more.outcome ? { outcome: more.outcome } : {}),
      ...(more.error ? { error: more.error } : {}),
    },
  });
}

/** The only proof of delivery: Codex's history has its completed user message with our id (facts F2). */
export function delivered(store: Store, change: Change, message: Message, turnId: string): void {
  if (message.state !== "claimed" && message.state !== "sent" && message.state !== "unsure") return;
  move(store, change, message, "delivered", { turn_id: turnId, error: null });
  const turn = store.turns.find(message.lane, turnId);
  // The event of its start may be missing; without a row nothing would look for its end.
  if (!turn) {
    // Another app's Codex runs it, whose epoch is not known here.
    const isElsewhere = store.lanes.find(message.lane)?.source === "attached";
    const epoch = isElsewhere ? null : message.epoch;
    beginTurn(store, change, { lane: message.lane, turn_id: turnId, origin: "ours", epoch });
  } else if (turn.origin === "other") markOurs(store, message.lane, turnId);
  if (turn && turn.status !== "in_progress") {
    move(store, change, { ...message, turn_id: turnId }, "done", { outcome: turn.status });
  }
  if (message.state === "unsure") releaseUnsure(store, change, message.lane);
}

/** Marks a turn that our message started. */
export function markOurs(store: Store, lane: Ref, turnId: string): void {
  const turn = store.turns.find(lane, turnId);
  if (turn && turn.origin !== "ours") store.turns.put({ ...turn, origin: "ours" });
}

export function failed(store: Store, change: Change, message: Message, error: MessageError): void {
  move(store, change, message, "failed", { error });
}

/** Back to the queue for another attempt, or failed when none is left. The lane shows Codex's reason. */
export function requeued(store: Store, change: Change, message: Message, reason: string | null): void {
  if (
    isSteering(message) &&
    store.turns.find(message.lane, message.target_turn_id!)?.status !== "in_progress"
  ) {
    failSteer(store, change, message);
    return;
  }
  if (message.attempt >= limits.message.attemptsMax) {
    const last = reason ?? "Codex never took it";
    const error = { code: "agent", message: `given up after ${message.attempt} attempts: ${last}` };
    failed(store, change, message, error);
    return;
  }
  move(store, change, message, "queued", { turn_id: null });
  if (reason !== null) store.lanes.set(message.lane, { blocked_reason: reason });
}

export function unsure(store: Store, change: Change, message: Message, why: string): void {
  move(store, change, message, "unsure", { error: { code: "unsure", message: why } });
  hold(store, change, message.lane, "unsure");
}

export function beginTurn(
  store: Store,
  change: Change,
  turn: Pick<Turn, "lane" | "turn_id" | "origin" | "epoch">,
): void {
  const { lane, turn_id } = turn;
  const rest = { error: null, retrying_since: null, started_at: change.now, completed_at: null };
  store.turns.put({ ...turn, ...rest, status: "in_progress" });
  store.lanes.set(lane, { updated_at: change.now, evidence_at: change.now, blocked_reason: null });
  change.append({ kind: "turn.started", lane, turn_id });
}

/** The turn was cut to make room for a message, which is no reason to hold the queue. */
export function isInterjected(store: Store, ref: Ref, turnId: string): boolean {
  return store.messages.next(ref, true)?.target_turn_id === turnId;
}

export function expire(store: Store, change: Change, id: string): void {
  const request = store.requests.find(id);
  if (request?.state !== "open") return;
  store.requests.set(id, { state: "expired", closed_at: change.now });
  change.append({
    kind: "request.expired",
    lane: request.lane,
    turn_id: request.turn_id,
    data: { request: id, kind: request.kind },
  });
}

/** Ends the queued messages of a lane that takes no more: otherwise their receipts would wait for ever. */
export function endQueued(store: Store, change: Change, ref: Ref, why: MessageError | "cancelled"): void {
  for (;;) {
    const waiting = store.messages.listQueued(ref, { after: null, limit: limits.input.pageMax });
    if (waiting.length === 0) return;
    for (const message of waiting) {
      if (why === "cancelled") move(store, change, message, "cancelled");
      else failed(store, change, message, why);
    }
  }
}

/** A steer that its turn refused, or ended without: it fails, unless its sender allowed the queue. */
export function failSteer(store: Store, change: Change, message: Message): void {
  if (message.state === "delivered") return;
  if (message.or_queue) {
    store.messages.set(message.id, { target_turn_id: null });
    if (message.state !== "queued") requeued(store, change, { ...message, target_turn_id: null }, null);
    return;
  }
  failed(store, change, message, { code: "conflict", message: "not taken: its turn ended without it" });
}

/**
 * Its turn ended before it took the text. A queued message waits again, under the hold that the end set. A message that
 * may pass a hold would start again at once, against the stop, so it fails.
 */
export function settleInterrupted(store: Store, change: Change, message: Message): void {
  const isHeld = store.lanes.find(message.lane)?.hold_reason != null;
  if (isHeld && (message.mode === "send" || message.mode === "interject"))
    failed(store, change, message, {
      code: "conflict",
      message: "not taken: its turn was ended before it took the text",
    });
  else {
    // Behind the interjection that cut the turn, which is to run first.
    if (message.turn_id !== null && isInterjected(store, message.lane, message.turn_id))
      store.messages.set(message.id, { position: store.messages.position(message.lane, "urgent") });
    requeued(store, change, message, null);
  }
}

export function contextTaken({ store }: Pick<CoreDeps, "store">, change: Change, { id }: Message): void {
  const now = store.messages.get(id);
  if (now.state !== "claimed") return;
  move(store, change, now, "delivered");
  move(store, change, { ...now, state: "delivered" }, "done");
}
