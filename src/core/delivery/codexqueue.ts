/**
 * Codex's own queue is the only way to reach a thread that another app writes. The process that has the thread open
 * takes from it when a turn ends, and the next process that opens the thread begins with it (facts F38). It does not
 * deduplicate, and a text that was taken out and lost leaves no trace in it. So it contains one message of ours at a
 * time, and only history proves delivery.
 */
import { limits } from "../../base/limits.ts";
import { readBack, turnHolding } from "../loading/history.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Lane, Message, Ref } from "../model/ports/rows.ts";
import type { TurnFacts } from "../model/ports/thread.ts";
import { noteAnswer } from "../state/lastmessage.ts";
import { delivered, move, unsure } from "../state/settle.ts";
import { turnEnded } from "../state/turn.ts";
import { claim, enqueue } from "./attempt.ts";

/** Throws `usage` when the configuration that allows it is broken. */
export function mayQueueNatively(deps: CoreDeps, lane: Lane): boolean {
  return (
    lane.source === "attached" &&
    lane.parent_id === null &&
    lane.gone_at === null &&
    lane.archived_at === null &&
    deps.policy().attachedQueue
  );
}

/** Under the lane's lock, when that queue contains no message of ours. */
export async function giveToCodex(deps: CoreDeps, lane: Lane, message: Message): Promise<void> {
  const { agent, store, journal } = deps;
  const epoch = await agent.ready(limits.codex.readyWaitMs);
  const threadId = lane.thread_id!;
  const { path } = await agent.readThread(threadId);
  const newest = await agent.listTurns(threadId, { cursor: null, limit: 1 });
  const opened = { lane: { ...lane, thread_id: threadId, rollout_path: path }, epoch };
  // Read again: other calls may have run during the reads above.
  const now = store.messages.get(message.id);
  if (now.state !== "queued") return;
  journal.commit((change) => claim(deps, change, now, opened, newest.turns[0]?.id ?? null));
  await enqueue(deps, store.messages.get(message.id), opened);
}

export interface NativeQueue {
  /** Under the lane's lock: settles by reading the messages of ours in Codex's queue, and their turns. */
  settle(ref: Ref): Promise<void>;
}

export function nativeQueue(deps: CoreDeps): NativeQueue {
  const { store, agent, journal, clock } = deps;
  /** By message id: since when it is neither in the queue nor in history; monotonic ms. */
  const absentSince = new Map<string, number>();

  return {
    async settle(ref) {
      const ours = store.messages
        .open(ref)
        .filter((message) => message.via === "codex_queue" && message.state !== "unsure");
      if (ours.length === 0) return;
      const lane = store.lanes.find(ref);
      if (!lane?.thread_id) return;
      const floors = ours.map((message) => message.floor_turn_id);
      const floor = floors.includes(null) ? null : (floors as string[]).sort()[0]!;
      // The queue is read first: a message that is taken out in between is found in history, now or at the next look.
      const waiting = new Set(await agent.nativeQueue(lane.thread_id));
      const { turns } = await readBack(agent, lane.thread_id, floor);
      journal.commit((change) => {
        for (const { id } of ours) settleOne(change, lane, store.messages.get(id), { turns, waiting });
      });
    },
  };

  function settleOne(change: Change, lane: Lane, message: Message, seen: Seen): void {
    const { id, state } = message;
    const turn = turnHolding(seen.turns, id);
    if (turn || seen.waiting.has(id)) absentSince.delete(id);
    if (turn) {
      delivered(store, change, message, turn.id);
      if (isOver(turn, seen.turns)) end(change, lane, turn);
    } else if (state === "delivered") {
      // It was in history, which was rewritten meanwhile.
      const gone = {
        turn_id: message.turn_id!,
        status: "interrupted",
        error: null,
        completed_at: null,
      } as const;
      turnEnded(store, change, lane, { ...gone, holds: false });
    } else if (seen.waiting.has(id)) {
      if (state === "claimed") move(store, change, message, "sent", { sent_at: change.now });
    } else if (isLost(id)) {
      unsure(store, change, message, "Codex's queue no longer holds it, and the thread does not show it");
    }
  }

  function end(change: Change, lane: Lane, { id, status, items, error, completed_at }: TurnFacts): void {
    noteAnswer(deps, lane, items, id, change.now);
    const outcome = status === "in_progress" ? "interrupted" : status;
    turnEnded(store, change, lane, { turn_id: id, status: outcome, error, completed_at });
  }

  function isLost(id: string): boolean {
    const now = clock.monotonic();
    const since = absentSince.get(id) ?? now;
    if (now - since < limits.message.proofTimeoutMs) absentSince.set(id, since);
    else absentSince.delete(id);
    return now - since >= limits.message.proofTimeoutMs;
  }
}

interface Seen {
  /** Newest first. */
  turns: TurnFacts[];
  /** Ids of the messages in Codex's queue. */
  waiting: Set<string>;
}

/**
 * A running turn of another app reads as interrupted, without a time of completion (facts F16), until there is a later
 * turn.
 */
function isOver(turn: TurnFacts, newestFirst: readonly TurnFacts[]): boolean {
  if (newestFirst[0]?.id !== turn.id) return true;
  return turn.status !== "in_progress" && (turn.status !== "interrupted" || turn.completed_at !== null);
}
