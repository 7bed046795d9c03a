/** The start of a turn, and its end, which happens once. All functions run inside an open transaction. */
import { isAgent } from "../../base/agentid.ts";
import { limits } from "../../base/limits.ts";
import type { Outcome } from "../../contract/words.ts";
import type { Change } from "../model/journal.ts";
import type { Epoch } from "../model/ports/agent.ts";
import type { Lane, Message, Turn } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";
import type { TurnError } from "../model/ports/thread.ts";
import { hold, lift } from "./hold.ts";
import { beginTurn, expire, failSteer, isInterjected, move } from "./settle.ts";

export function turnStarted(store: Store, change: Change, lane: Lane, turnId: string, epoch: Epoch): void {
  const known = store.turns.find(lane.ref, turnId);
  if (known) {
    if (known.status === "in_progress") store.turns.put({ ...known, epoch });
    return;
  }
  const isOurs = store.messages.ofTurn(lane.ref, turnId).length > 0;
  const origin = isOurs ? "ours" : lane.goal?.status === "active" ? "goal" : "other";
  beginTurn(store, change, { lane: lane.ref, turn_id: turnId, origin, epoch });
}

export interface TurnEnd {
  turn_id: string;
  status: Outcome;
  error: TurnError | null;
  completed_at: number | null;
  /** The child died during the turn. */
  crashed?: boolean;
  /** false: a bad end that cut no work. */
  holds?: boolean;
}

/** Ends a turn, once: its messages are done, its requests expire, and a bad end holds the queue. */
export function turnEnded(store: Store, change: Change, lane: Lane, end: TurnEnd): void {
  const known = store.turns.find(lane.ref, end.turn_id);
  if (known && known.status !== "in_progress") return;
  const messages = store.messages
    .ofTurn(lane.ref, end.turn_id)
    .filter((message) => message.state === "delivered");
  const started_at = known?.started_at ?? change.now;
  const turn: Turn = {
    lane: lane.ref,
    turn_id: end.turn_id,
    origin: known?.origin ?? (messages.length > 0 ? "ours" : "other"),
    status: end.status,
    epoch: known?.epoch ?? null,
    error: end.error ? clipped(end.error, limits.thread.turnErrorCharsMax) : (known?.error ?? null),
    retrying_since: null,
    started_at,
    completed_at: Math.max(started_at, endedAt(end.completed_at, change.now)),
  };
  store.turns.put(turn);
  store.lanes.set(lane.ref, { updated_at: change.now, evidence_at: change.now });
  change.append({
    kind: `turn.${end.status}`,
    lane: lane.ref,
    turn_id: end.turn_id,
    data: {
      origin: turn.origin,
      ...(turn.error ? { error: clipped(turn.error) } : {}),
      ...(end.crashed ? { crashed: true } : {}),
    },
  });
  for (const message of messages) move(store, change, message, "done", { outcome: end.status });
  for (const request of store.requests.listOpen({ lane: lane.ref, turn_id: end.turn_id }))
    expire(store, change, request.id);
  for (const message of store.messages.steers(lane.ref, end.turn_id)) {
    // A steer that Codex may have is settled by reading the history; one that was never sent has failed.
    if (message.state === "queued") failSteer(store, change, message);
  }
  if (end.status === "completed") {
    // A turn that a hook ended did no work.
    if (
      turn.error === null &&
      (messages.length === 0 || messages.some((message) => mayRelease(lane, message)))
    )
      lift(store, change, lane.ref);
  } else if (end.holds !== false && !isInterjected(store, lane.ref, end.turn_id))
    hold(store, change, lane.ref, end.crashed ? "crashed" : end.status === "failed" ? "failed" : "stopped");
}

export function clipped(error: TurnError, charsMax: number = limits.event.textCharsMax): TurnError {
  return { kind: error.kind, message: error.message.slice(0, charsMax).toWellFormed() };
}

/**
 * Codex reports whole seconds, cut (facts F21): an end in the last second counts as now, so that it is not before the
 * start.
 */
function endedAt(reportedAt: number | null, now: number): number {
  return reportedAt === null || now - reportedAt < 1000 ? now : reportedAt;
}

/**
 * An agent may not release the queue of a thread that it did not create, so a message of another thread's agent
 * releases nothing.
 */
function mayRelease({ created_by, thread_id }: Lane, { caller }: Message): boolean {
  return !isAgent(caller) || caller === created_by || caller === thread_id;
}
