/**
 * One attempt to deliver one message. It is claimed in one transaction before the call to Codex, `sent` after Codex's
 * answer, which is not durable (facts F1), and `delivered` only on proof. No transaction is open across a call to
 * Codex.
 */

import { DispatchError, errorMessage } from "../../base/error.ts";
import { markGone, type Opened } from "../loading/open.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import { isSteering } from "../model/message.ts";
import type { Lane, Message } from "../model/ports/rows.ts";
import type { TurnOverrides } from "../model/ports/thread.ts";
import { isUnknown, refusalOf } from "../model/refusal.ts";
import { contextTaken, failed, failSteer, markOurs, move, requeued } from "../state/settle.ts";

/** Stores the floor and the path as well: reading back needs them. Inside an open transaction. */
export function claim(
  { store, live }: CoreDeps,
  change: Change,
  message: Message,
  { lane, epoch }: Opened,
  floor = live.get(lane.thread_id)?.floor ?? null,
): void {
  move(store, change, message, "claimed", {
    epoch,
    attempt: message.attempt + 1,
    // A thread that was opened during a turn has that turn as its floor, and a steer of it would be below the floor.
    floor_turn_id: isSteering(message) && floor === message.target_turn_id ? null : floor,
    path: lane.rollout_path,
    via: lane.source === "attached" ? "codex_queue" : "turn",
    claimed_at: change.now,
    turn_id: null,
    error: null,
  });
  // Only set here. It is cleared when Codex has answered a turn with the lane's own values.
  store.lanes.set(lane.ref, {
    blocked_reason: null,
    overridden: lane.overridden || message.settings !== null,
  });
}

/** Starts a turn with a claimed message. */
export async function start(deps: CoreDeps, message: Message, { lane }: Opened): Promise<void> {
  const { agent, store } = deps;
  const overrides = overridesOf(lane, message);
  let answer: Awaited<ReturnType<typeof agent.startTurn>>;
  try {
    answer = await agent.startTurn({
      thread_id: lane.thread_id,
      text: message.text,
      client_id: message.id,
      ...(overrides ? { overrides } : {}),
    });
  } catch (thrown) {
    noteRefusal(deps, message, lane, thrown);
    return;
  }
  storeAnswer(deps, message, (change) => {
    // The proof may have come first; then only `joined` is new.
    const now = store.messages.get(message.id);
    if (now.state === "claimed") {
      move(store, change, now, "sent", {
        turn_id: answer.turn_id,
        joined: answer.joined,
        sent_at: change.now,
      });
    } else if (answer.joined) store.messages.set(message.id, { joined: true });
    if (!answer.joined) markOurs(store, lane.ref, answer.turn_id);
    if (message.settings === null) store.lanes.set(lane.ref, { overridden: false });
  });
}

/**
 * Stores what Codex answered about a message. When the registry refuses it (a full disk), nothing is undone: Codex may
 * have the text, and the message was accepted. So it stays claimed until reading settles it.
 */
function storeAnswer({ journal, log }: CoreDeps, message: Message, write: (change: Change) => void): void {
  try {
    journal.note(write);
  } catch (thrown) {
    log.error("the answer of Codex about a message was not stored", { receipt: message.id, thrown });
  }
}

/**
 * Overrides apply to later turns too (facts F27, F28), so the turn after one with overrides sends the lane's values
 * again.
 */
function overridesOf(lane: Lane, message: Message): TurnOverrides | undefined {
  if (message.settings) return message.settings;
  if (!lane.overridden) return undefined;
  const { effective } = lane;
  return {
    ...(effective?.model ? { model: effective.model } : {}),
    effort: effective?.effort ?? null,
    service_tier: effective?.service_tier ?? null,
  };
}

/**
 * Puts a claimed message into the running turn. The answer is no proof that the turn took it: only its item is (facts
 * F6).
 */
export async function steer(deps: CoreDeps, message: Message, { lane }: Opened): Promise<void> {
  const { agent, store } = deps;
  const turnId = message.target_turn_id!;
  try {
    await agent.steerTurn({
      thread_id: lane.thread_id,
      turn_id: turnId,
      text: message.text,
      client_id: message.id,
    });
  } catch (thrown) {
    const reason = refusalOf(thrown);
    if (reason !== "no_active_turn" && reason !== "turn_mismatch") noteRefusal(deps, message, lane, thrown);
    else storeAnswer(deps, message, (change) => failSteer(store, change, store.messages.get(message.id)));
    return;
  }
  storeAnswer(deps, message, (change) => {
    const now = store.messages.get(message.id);
    if (now.state === "claimed")
      move(store, change, now, "sent", { turn_id: turnId, joined: true, sent_at: change.now });
    else store.messages.set(message.id, { joined: true });
  });
}

/** Puts a claimed message into Codex's own queue, which is durable (facts F38). It is `sent` until its turn is seen. */
export async function enqueue(deps: CoreDeps, message: Message, { lane }: Opened): Promise<void> {
  try {
    await deps.agent.queueText({ thread_id: lane.thread_id, text: message.text, client_id: message.id });
  } catch (thrown) {
    noteRefusal(deps, message, lane, thrown);
    return;
  }
  storeAnswer(deps, message, (change) => {
    const now = deps.store.messages.get(message.id);
    if (now.state === "claimed") move(deps.store, change, now, "sent", { sent_at: change.now });
  });
}

/** Adds a claimed message to the context. Codex keeps our id in the rollout, so its answer is proof (facts F8). */
export async function inject(deps: CoreDeps, message: Message, { lane }: Opened): Promise<void> {
  try {
    await deps.agent.injectText({ thread_id: lane.thread_id, text: message.text, item_id: message.id });
  } catch (thrown) {
    noteRefusal(deps, message, lane, thrown);
    return;
  }
  storeAnswer(deps, message, (change) => contextTaken(deps, change, message));
}

/**
 * Some refusals allow another attempt, others end the message. With an unknown outcome it stays claimed until it is
 * read.
 */
function noteRefusal(deps: CoreDeps, message: Message, lane: Lane, thrown: unknown): void {
  const { store, live } = deps;
  if (isUnknown(thrown)) return;
  const reason = refusalOf(thrown);
  const words = errorMessage(thrown);
  if (reason === "not_loaded" && lane.thread_id !== null) live.drop(lane.thread_id);
  const mayRetry =
    reason === "not_loaded" || reason === "overloaded" || reason === "active_writer" || reason === "archived";
  const isDown = thrown instanceof DispatchError && thrown.code === "agent_down";
  storeAnswer(deps, message, (change) => {
    const now = store.messages.get(message.id);
    if (now.state !== "claimed") return;
    if (mayRetry || isDown) requeued(store, change, now, words);
    else
      failed(store, change, now, {
        code: thrown instanceof DispatchError ? thrown.code : "internal",
        message: words,
      });
  });
  if (reason === "no_rollout") markGone(deps, lane.ref);
}
