/**
 * Truth by reading: notifications are hints, and this loop settles what they left open. A wrong `busy` heals without
 * any event; a dead child's turns and messages are read back from history once another child is up.
 */
import { errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { nativeQueue } from "../delivery/codexqueue.ts";
import type { Delivery } from "../delivery/modes.ts";
import { promptRefusal } from "../delivery/promptrefusal.ts";
import { endTurn } from "../delivery/turnend.ts";
import { triedToSettle, watched } from "../loading/blame.ts";
import { pauseInterrupted } from "../loading/goal.ts";
import { readBack, turnHolding } from "../loading/history.ts";
import { open } from "../loading/open.ts";
import type { CoreDeps } from "../model/deps.ts";
import { isSteering } from "../model/message.ts";
import type { Lane, Message, Ref, Turn } from "../model/ports/rows.ts";
import { isEphemeral, isRunning, saysIdle } from "../state/lane.ts";
import { noteAnswer } from "../state/lastmessage.ts";
import { contextTaken, delivered, failed, failSteer, settleInterrupted, unsure } from "../state/settle.ts";
import { endDueLimits } from "../state/usagelimit.ts";
import { beside } from "./beside.ts";
import { isLeft, recover } from "./recover.ts";
import { trials } from "./trials.ts";
import { idleThreads, renewReplaced, unload } from "./upkeep.ts";

export interface Reconcile {
  /** One pass over all that is unfinished. */
  step(): Promise<void>;
  /** One fresh look at a lane's running turn, now. */
  look(ref: Ref): Promise<void>;
  /** Everything of one lane that reading can settle, now. */
  lane(ref: Ref): Promise<void>;
  /** One more look in history for a message that is unsure. */
  unsure(id: string): Promise<void>;
  /** A turn ended: what was steered into it is settled, and the next may go. */
  turnOver(ref: Ref): void;
}

const noSign = `Codex gave no sign of it for ${limits.message.proofTimeoutMs / 1000} s`;

export function reconcile(deps: CoreDeps, delivery: Delivery): Reconcile {
  const { store, agent, live, clock, log, journal } = deps;
  const codexQueue = nativeQueue(deps);
  /** The epoch and the newest gap that were closed, and the epoch whose interrupted goals were paused in Codex. */
  let settledEpoch: number | null = null;
  let settledSeq = 0;
  let goalsPausedIn: number | null = null;
  /** One thread that Codex takes long to open, or to read, does not keep the others waiting. */
  const settling = beside<Ref>(clock, limits.loop.settleWaitMs);
  const trySuspects = trials(deps, (ref) => settling(ref, () => settled(ref)));
  const pausing = beside<Ref>(clock, limits.loop.settleWaitMs);
  const unloading = beside<Ref>(clock, limits.loop.settleWaitMs);
  /** The message in flight of each lane, and since when it is seen in this state; monotonic, since a clock may be set. */
  const inFlight = new Map<Ref, Pick<Message, "id" | "attempt" | "state"> & { since: number }>();

  async function step(): Promise<void> {
    endDueLimits(deps);
    delivery.dropForgotten();
    const epoch = live.epoch();
    let isWhole = epoch !== null;
    if (epoch !== null && epoch !== goalsPausedIn) {
      let areAllPaused = true;
      for (const { ref } of store.lanes.withInterruptedGoal())
        areAllPaused =
          (await pausing(ref, () => pauseInterrupted(deps, ref).then(() => true))) && areAllPaused;
      if (areAllPaused) goalsPausedIn = epoch;
    }
    const unfinished = store.lanes.unfinished();
    for (const ref of inFlight.keys()) if (!store.messages.inFlight(ref)) inFlight.delete(ref);
    for (const ref of unfinished) isWhole = (await settling(ref, () => settled(ref))) && isWhole;
    trySuspects();
    const gap = store.events.newest({ kinds: ["gap"], limit: 1 })[0]?.seq ?? 0;
    if (isWhole && (settledEpoch !== epoch || gap > settledSeq)) {
      settledEpoch = epoch;
      settledSeq = gap;
      journal.commit((change) => change.append({ kind: "reconciled", data: { epoch } }));
    }
    if (epoch !== null) {
      await renewReplaced(deps);
      for (const [ref, threadId] of idleThreads(deps, delivery.isDue))
        await unloading(ref, () => unload(deps, delivery.isDue, ref, threadId).then(() => true));
    }
  }

  async function settled(ref: Ref): Promise<boolean> {
    try {
      return await lane(ref);
    } catch (thrown) {
      log.warn("a thread could not be settled yet", { lane: ref, thrown: errorMessage(thrown) });
      return false;
    }
  }

  async function lane(ref: Ref): Promise<boolean> {
    // Where nothing is left, nothing is tried: a suspect that only waits takes no trial.
    if (isLeft(deps, ref))
      await deps.locked(ref, () =>
        triedToSettle(deps, ref, () => watched(deps, ref, () => recover(deps, ref))),
      );
    if (live.epoch() !== null) await overdue(ref);
    delivery.kick(ref);
    return !isLeft(deps, ref);
  }

  /** Only what is overdue is read: a healthy turn that speaks costs nothing. */
  async function overdue(ref: Ref): Promise<void> {
    if (store.turns.running(ref).length === 0 && store.messages.open(ref).length === 0) return;
    const lane = store.lanes.find(ref);
    if (!lane || lane.thread_id === null) return;
    await deps.locked(ref, () => codexQueue.settle(ref));
    if (lane.source === "attached") return;
    const here = live.get(lane.thread_id);
    const running = store.turns.running(ref).filter((turn) => isRunning(turn, live));
    const silentMs = clock.monotonic() - (here?.heard ?? Number.NEGATIVE_INFINITY);
    const isSilent = silentMs > limits.thread.turnSilentMs;
    const isEndLost = saysIdle(here) && clock.monotonic() - here!.at > limits.thread.turnEndLostMs;
    // Not open here, a running turn would be heard no more, nor what it asks: opening it again makes Codex ask again (measured).
    if (running.length > 0 && !here) await deps.locked(ref, () => open(deps, ref));
    if (running.length > 0 && (isSilent || isEndLost || !here)) await look(ref);
    const message = store.messages.inFlight(ref);
    if (!message || message.via === "codex_queue" || message.epoch !== live.epoch()) return;
    const isLate = inFlightMs(message) > limits.message.proofTimeoutMs && !runsFor(message);
    // A steer waits for a running command as long as that takes (measured); only its turn's end makes it due.
    const isDue = isSteering(message) ? isSteerOver(message) : isLate || !here || isTurnOver(message);
    if (isDue) await deps.locked(ref, () => prove(lane, message.id, isLate));
  }

  function inFlightMs({ id, attempt, lane: ref, state }: Message): number {
    const now = clock.monotonic();
    const known = inFlight.get(ref);
    if (known?.id === id && known.attempt === attempt && known.state === state) return now - known.since;
    inFlight.set(ref, { id, attempt, state, since: now });
    return 0;
  }

  /** Of one that Codex answered: cut before it took the text, a turn ends without it, and never shows it later. */
  const isTurnOver = ({ lane, state, turn_id }: Message) =>
    state === "sent" &&
    turn_id !== null &&
    (store.turns.find(lane, turn_id)?.status ?? "in_progress") !== "in_progress";

  /**
   * A turn that may be its own runs, as Codex confirms while it is silent: a hook may take long before the text is
   * taken. None ran when it was claimed.
   */
  const runsFor = ({ lane }: Message) => store.turns.running(lane).some((turn) => isRunning(turn, live));

  const isSteerOver = ({ lane, target_turn_id }: Message) =>
    store.turns.find(lane, target_turn_id!)?.status !== "in_progress";

  async function look(ref: Ref): Promise<void> {
    const lane = store.lanes.find(ref);
    if (!lane || lane.thread_id === null || live.epoch() === null) return;
    const threadId = lane.thread_id;
    const { status } = await agent.readThread(threadId);
    if (status === "active") {
      live.setStatus(threadId, status);
      return;
    }
    const running = store.turns.running(ref).filter((turn) => isRunning(turn, live));
    if (running.length > 0) await endByHistory(lane, threadId, running);
    delivery.kick(ref);
  }

  async function endByHistory(lane: Lane, threadId: string, running: Turn[]): Promise<void> {
    const { turns } = isEphemeral(lane)
      ? { turns: [] }
      : await agent.listTurns(threadId, { cursor: null, limit: limits.wire.historyPageTurns });
    journal.commit((change) => {
      for (const { turn_id } of running) {
        const turn = turns.find((candidate) => candidate.id === turn_id);
        // History may be ahead of the status that was read: a turn that it shows running goes on.
        if (turn?.status === "in_progress") continue;
        for (const message of store.messages.ofTurn(lane.ref, turn_id)) {
          if (turnHolding(turns, message.id)) delivered(store, change, message, turn_id);
        }
        if (turn) noteAnswer(deps, lane, turn.items, turn_id, change.now);
        const status = turn?.status ?? "interrupted";
        endTurn(deps, change, lane, {
          turn_id,
          status,
          error: turn?.error ?? null,
          completed_at: turn?.completed_at ?? null,
        });
      }
    });
  }

  /** A child that answers but shows nothing: history decides, and what it cannot decide is said. */
  async function prove(lane: Lane, id: string, isLate: boolean): Promise<void> {
    const asked = store.messages.get(id);
    const isInjected =
      asked.mode === "context" && asked.path !== null && (await agent.hasInjected(asked.path, id));
    const back =
      asked.mode === "context" || isEphemeral(lane)
        ? { turns: [] }
        : await readBack(agent, lane.thread_id!, asked.floor_turn_id);
    const holding = turnHolding(back.turns, id);
    journal.commit((change) => {
      const message = store.messages.inFlight(lane.ref);
      if (message?.id !== id) return;
      const refusal = promptRefusal(store, message, !isEphemeral(lane));
      if (isInjected) contextTaken(deps, change, message);
      else if (holding) {
        delivered(store, change, message, holding.id);
        noteAnswer(deps, lane, holding.items, holding.id, change.now);
        if (holding.status === "in_progress") return;
        const { status, error, completed_at } = holding;
        endTurn(deps, change, lane, { turn_id: holding.id, status, error, completed_at });
      } else if (refusal) failed(store, change, message, refusal);
      else if (isEphemeral(lane)) {
        // It has no history, so that nothing was heard of it proves nothing.
        if (isLate || isSteering(message) || isTurnOver(message))
          unsure(store, change, message, "its ephemeral thread has no history to tell");
      } else if (isSteering(message)) failSteer(store, change, message);
      else if (isTurnOver(message) && asked.mode !== "context") settleInterrupted(store, change, message);
      else if (isLate) unsure(store, change, message, noSign);
    });
  }

  return {
    step,
    look,
    async lane(ref) {
      await lane(ref);
    },
    async unsure(id) {
      const message = store.messages.find(id);
      const threadId = message && store.lanes.find(message.lane)?.thread_id;
      if (!message || !threadId) return;
      const holding = turnHolding((await readBack(agent, threadId, message.floor_turn_id)).turns, id);
      if (holding) journal.commit((change) => delivered(store, change, store.messages.get(id), holding.id));
    },
    turnOver(ref) {
      if (!store.messages.inFlight(ref)) {
        delivery.kick(ref);
        return;
      }
      lane(ref).catch((thrown: unknown) =>
        log.warn("what a turn ended without could not be settled yet", {
          lane: ref,
          thrown: errorMessage(thrown),
        }),
      );
    },
  };
}
