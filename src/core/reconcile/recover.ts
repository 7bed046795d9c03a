/**
 * Settles from history what a dead child left open. A message in history was delivered. A message that is not there
 * goes back to the queue, but only behind two fences: no process of the old child lives (only then is the epoch ended),
 * and our new child has resumed the thread, so that it has Codex's writer lock.
 */

import { promptRefusal } from "../delivery/promptrefusal.ts";
import { endTurn } from "../delivery/turnend.ts";
import { noteOpened } from "../loading/blame.ts";
import { type ReadBack, readBack, turnHolding } from "../loading/history.ts";
import { markGone, open } from "../loading/open.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import { isInFlight, isSteering } from "../model/message.ts";
import type { Lane, Message, Ref } from "../model/ports/rows.ts";
import type { TurnFacts } from "../model/ports/thread.ts";
import { refusalOf } from "../model/refusal.ts";
import { noteAnswer } from "../state/lastmessage.ts";
import { contextTaken, delivered, failed, failSteer, requeued, unsure } from "../state/settle.ts";

/** Whether a turn or a message of a dead child is open on this lane. */
export function isLeft(deps: CoreDeps, ref: Ref): boolean {
  // The lane last: of most lanes nothing is open, and it is the longest row.
  if (leftTurns(deps, ref).length === 0 && leftMessages(deps, ref).length === 0) return false;
  const lane = deps.store.lanes.find(ref);
  // Another app runs its own turns, and our messages in Codex's queue do not die with our child.
  return lane !== undefined && lane.source !== "attached" && lane.thread_id !== null;
}

/** Under the lane's lock. */
export async function recover(deps: CoreDeps, ref: Ref): Promise<void> {
  const { store, agent, live } = deps;
  const lane = store.lanes.find(ref);
  if (!lane || !isLeft(deps, ref) || live.epoch() === null) return;
  const threadId = lane.thread_id!;
  try {
    applyHistory(deps, lane, await readBack(agent, threadId, floorOf(deps, ref)));
    for (const message of leftMessages(deps, ref)) await settleAbsent(deps, lane, threadId, message);
  } catch (thrown) {
    if (refusalOf(thrown) !== "no_rollout") throw thrown;
    settleVanished(deps, lane);
  }
  noteOpened(deps, ref);
}

function leftTurns({ store, live }: CoreDeps, ref: Ref) {
  return store.turns.running(ref).filter((turn) => turn.epoch !== live.epoch());
}

function leftMessages({ store, live }: CoreDeps, ref: Ref): Message[] {
  return store.messages
    .open(ref)
    .filter(
      (message) => message.via === "turn" && message.state !== "unsure" && message.epoch !== live.epoch(),
    );
}

/** The lowest floor of the open turns and messages; null: read to the beginning. */
function floorOf(deps: CoreDeps, ref: Ref): string | null {
  const floors = leftMessages(deps, ref).map((message) => message.floor_turn_id);
  if (floors.includes(null)) return null;
  const firstLeft = leftTurns(deps, ref)[0]?.turn_id;
  const below = firstLeft === undefined ? undefined : turnBefore(deps, ref, firstLeft);
  const all = [...(floors as string[]), ...(firstLeft === undefined ? [] : [below ?? null])];
  if (all.length === 0 || all.includes(null)) return null;
  return (all as string[]).sort()[0]!;
}

function turnBefore({ store }: CoreDeps, ref: Ref, turnId: string): string | undefined {
  const messages = store.messages.ofTurn(ref, turnId);
  return messages.find((message) => message.floor_turn_id !== null)?.floor_turn_id ?? undefined;
}

/** Stores all that history proves, in one transaction. */
function applyHistory(deps: CoreDeps, lane: Lane, back: ReadBack): void {
  const { store, journal } = deps;
  journal.commit((change) => {
    for (const message of leftMessages(deps, lane.ref)) {
      const turn = turnHolding(back.turns, message.id);
      if (turn) delivered(store, change, message, turn.id);
    }
    for (const left of leftTurns(deps, lane.ref)) {
      const turn = back.turns.find((candidate) => candidate.id === left.turn_id);
      endByHistory(deps, change, lane, left.turn_id, turn);
    }
    // Delivered, but no event reported the start of the turn.
    for (const message of leftMessages(deps, lane.ref)) {
      if (message.state !== "delivered" || message.turn_id === null) continue;
      endByHistory(deps, change, lane, message.turn_id, turnHolding(back.turns, message.id));
    }
    store.lanes.set(lane.ref, { evidence_at: change.now });
  });
}

/**
 * A running turn of a dead child reads as interrupted (facts F15). A turn whose message was lost with the child is
 * empty (facts F5): no work was cut, so nothing is held.
 */
function endByHistory(
  deps: CoreDeps,
  change: Change,
  lane: Lane,
  turnId: string,
  turn: TurnFacts | undefined,
): void {
  const { store } = deps;
  const status = turn && turn.status !== "in_progress" ? turn.status : "interrupted";
  if (turn) noteAnswer(deps, lane, turn.items, turnId, change.now);
  const known = store.turns.find(lane.ref, turnId);
  if (!known) {
    const now = change.now;
    const times = { started_at: turn?.started_at ?? now, completed_at: null };
    store.turns.put({
      lane: lane.ref,
      turn_id: turnId,
      origin: "ours",
      status: "in_progress",
      epoch: null,
      error: null,
      retrying_since: null,
      ...times,
    });
  }
  endTurn(deps, change, lane, {
    turn_id: turnId,
    status,
    error: turn?.error ?? null,
    completed_at: turn?.completed_at ?? null,
    crashed: status === "interrupted",
    holds: (turn?.items.length ?? 0) > 0 || status !== "interrupted",
  });
}

async function settleAbsent(deps: CoreDeps, lane: Lane, threadId: string, message: Message): Promise<void> {
  const { store, agent, journal } = deps;
  // The first fence: while any of the old child's processes may live, nothing is sent again.
  if (!isInFlight(message.state) || !store.epochs.isEnded(message.epoch)) return;
  const { path } = await agent.readThread(threadId);
  if (message.path !== null && path !== message.path) {
    journal.commit((change) =>
      unsure(store, change, message, "the thread's history was rewritten meanwhile"),
    );
    return;
  }
  await open(deps, lane.ref);
  if (message.mode === "context") {
    await settleContext(deps, message, path);
    return;
  }
  const back = await readBack(agent, threadId, message.floor_turn_id);
  const holding = turnHolding(back.turns, message.id);
  journal.commit((change) => {
    const now = store.messages.get(message.id);
    if (!isInFlight(now.state)) return;
    const refusal = promptRefusal(store, now, true);
    if (holding) delivered(store, change, now, holding.id);
    else if (refusal) failed(store, change, now, refusal);
    else if (!back.reachedFloor)
      unsure(store, change, now, "the turn it should follow is no longer in the thread's history");
    // The turn of the steer died with the child: a steer that is not in its history now never will be (facts F6).
    else if (isSteering(now)) failSteer(store, change, now);
    else requeued(store, change, now, null);
  });
  if (holding) applyHistory(deps, lane, back);
}

async function settleContext(deps: CoreDeps, message: Message, path: string | null): Promise<void> {
  const isThere = path !== null && (await deps.agent.hasInjected(path, message.id));
  deps.journal.commit((change) => {
    const now = deps.store.messages.get(message.id);
    if (isThere) contextTaken(deps, change, now);
    else if (isInFlight(now.state)) requeued(deps.store, change, now, null);
  });
}

/**
 * The thread is gone with its history. A thread that was not durable starts again; for a durable one this is the end.
 */
function settleVanished(deps: CoreDeps, lane: Lane): void {
  const { store, journal } = deps;
  const why = "Codex no longer has the thread";
  if (lane.durable_at !== null) markGone(deps, lane.ref);
  journal.commit((change) => {
    for (const left of leftTurns(deps, lane.ref)) endByHistory(deps, change, lane, left.turn_id, undefined);
    for (const message of leftMessages(deps, lane.ref)) {
      if (message.state === "delivered") continue;
      if (lane.durable_at === null) requeued(store, change, message, null);
      else unsure(store, change, message, why);
    }
  });
}
