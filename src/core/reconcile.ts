/**
 * Truth by reading: notifications are hints, and this loop settles what they left open. A wrong `busy` heals without
 * any event; a dead child's turns and messages are read back from history once another child is up.
 */
import { wordsOf } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Delivery } from "./delivery.ts";
import { readBack, turnHolding } from "./history.ts";
import { noteAnswer } from "./ingest.ts";
import { isRunning, saysIdle } from "./lane.ts";
import { isInFlight } from "./message.ts";
import type { Lane, Message, Ref, Turn } from "./ports/store.ts";
import { recover } from "./recover.ts";
import { delivered, turnEnded, unsure } from "./settle.ts";
import type { World } from "./world.ts";

export interface Reconcile {
  /** One pass over all that is unfinished. */
  step(): Promise<void>;
  /** One fresh look at a lane's running turn, now. */
  look(ref: Ref): Promise<void>;
}

export function reconcile(world: World, delivery: Delivery): Reconcile {
  const { store, agent, live, clock, log, journal } = world;
  /** A gap in what was heard is open until every lane it touched has been read. */
  let gapEpoch: number | null = null;

  async function step(): Promise<void> {
    const epoch = live.epoch();
    let isWhole = epoch !== null;
    for (const ref of store.lanes.unfinished()) {
      try {
        isWhole = (await world.locked(ref, () => recover(world, ref))) && isWhole;
        if (epoch !== null && live.epoch() === epoch) await settleLane(ref);
        delivery.kick(ref);
      } catch (thrown) {
        isWhole = false;
        log.warn("a thread could not be settled yet", { lane: ref, thrown: wordsOf(thrown) });
      }
    }
    if (isWhole && gapEpoch !== epoch) {
      gapEpoch = epoch;
      journal.commit((change) => change.append({ kind: "reconciled", data: { epoch } }));
    }
    if (epoch !== null) await unloadIdle();
  }

  /** Only what is overdue is read: a healthy turn that speaks costs nothing. */
  async function settleLane(ref: Ref): Promise<void> {
    const lane = store.lanes.get(ref);
    if (!lane || lane.thread_id === null) return;
    const here = live.get(lane.thread_id);
    const now = clock.now();
    const running = store.turns.running(ref).filter((turn) => isRunning(turn, live));
    const isSilent = now - (here?.heard ?? 0) > limits.turnSilentMs;
    const isEndLost = saysIdle(here) && now - here!.at > limits.turnEndLostMs;
    if (running.length > 0 && (isSilent || isEndLost || !here)) await look(ref);
    for (const message of store.messages.open(ref)) {
      if (!isInFlight(message.state)) continue;
      const isOverdue = now - (message.sent_at ?? message.claimed_at ?? now) > limits.proofTimeoutMs;
      if (isOverdue || !here) await prove(lane, message, isOverdue);
    }
  }

  async function look(ref: Ref): Promise<void> {
    const lane = store.lanes.get(ref);
    if (!lane || lane.thread_id === null || live.epoch() === null) return;
    const threadId = lane.thread_id;
    const { status } = await agent.readThread(threadId);
    const now = clock.now();
    if (status === "active")
      return live.set(threadId, { floor: live.get(threadId)?.floor ?? null, status, at: now, heard: now });
    const running = store.turns.running(ref).filter((turn) => isRunning(turn, live));
    if (running.length > 0) await endByHistory(lane, threadId, running);
    delivery.kick(ref);
  }

  async function endByHistory(lane: Lane, threadId: string, running: Turn[]): Promise<void> {
    const { turns } = await agent.listTurns(threadId, { cursor: null, limit: limits.historyPageTurns });
    journal.commit((change) => {
      for (const { turn_id } of running) {
        const turn = turns.find((candidate) => candidate.id === turn_id);
        for (const message of store.messages.ofTurn(lane.ref, turn_id)) {
          if (turnHolding(turns, message.id)) delivered(store, change, message, turn_id);
        }
        if (turn) noteAnswer(world, lane, turn.items, turn_id, change.now);
        const status = turn && turn.status !== "in_progress" ? turn.status : "interrupted";
        turnEnded(store, change, lane, {
          turn_id,
          status,
          error: turn?.error ?? null,
          completed_at: turn?.completed_at ?? null,
        });
      }
    });
  }

  /** A child that answers but shows nothing: history decides, and what it cannot decide is said. */
  async function prove(lane: Lane, message: Message, isOverdue: boolean): Promise<void> {
    const back = await readBack(agent, lane.thread_id!, message.floor_turn_id);
    const holding = turnHolding(back.turns, message.id);
    journal.commit((change) => {
      const now = store.messages.get(message.id)!;
      if (!isInFlight(now.state)) return;
      if (!holding && !isOverdue) return;
      if (!holding)
        return unsure(store, change, now, `Codex gave no sign of it for ${limits.proofTimeoutMs / 1000} s`);
      delivered(store, change, now, holding.id);
      if (holding.status !== "in_progress") {
        turnEnded(store, change, lane, {
          turn_id: holding.id,
          status: holding.status,
          error: holding.error,
          completed_at: holding.completed_at,
        });
      }
    });
  }

  /** Gives memory and Codex's writer lock back, so that the user's own terminal can open the thread. */
  async function unloadIdle(): Promise<void> {
    for (const [threadId, here] of live.list()) {
      if (here.status === "active" || clock.now() - here.heard < limits.laneIdleUnloadMs) continue;
      const lane = store.lanes.findByThread(threadId);
      const facts = lane && store.lanes.facts(lane.ref);
      if (!lane || !facts) continue;
      const isWanted =
        facts.pending + facts.in_flight + facts.requests.length > 0 || lane.goal?.status === "active";
      if (isWanted || facts.latest?.status === "in_progress") continue;
      await world.locked(lane.ref, async () => {
        await agent.unsubscribe(threadId);
        live.drop(threadId);
      });
    }
  }

  return { step, look };
}
