/** The loop that brings what waits on a lane to Codex: one in flight, in the order of the queue, never under a turn. */
import { errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { acquit, isCulprit, tried } from "../loading/blame.ts";
import { activateGoal, isGoalDue } from "../loading/goal.ts";
import { type Opened, open } from "../loading/open.ts";
import type { CoreDeps, Policy } from "../model/deps.ts";
import type { Lane, Message, Ref, Turn } from "../model/ports/rows.ts";
import { clearBlock, noteBlock } from "../state/blocked.ts";
import { mayPass, release } from "../state/hold.ts";
import { isRunning, saysIdle, writeLock } from "../state/lane.ts";
import { claim, inject, start, steer } from "./attempt.ts";
import { backoffs } from "./backoff.ts";
import { capacityMessage, startRefusal } from "./capacity.ts";
import { giveToCodex } from "./codexqueue.ts";

export interface Drain {
  /** Tries what waits on a lane soon; repeats never overlap. */
  kick(ref: Ref): void;
  /** Everything of a lane that can go now. */
  step(ref: Ref): Promise<void>;
  /** Another child is up, or somebody changed something: what was refused before is tried again now. */
  freshStart(): void;
  /** Nothing is kept in memory of threads that are no more. */
  dropForgotten(): void;
  /** Something of this lane could go, were its thread open and idle: a reason to open it, and to keep it open. */
  isDue(lane: Lane): boolean;
}

export function drain(world: CoreDeps): Drain {
  const { store, journal, live, clock, log } = world;
  const kicked = new Set<Ref>();
  const again = new Set<Ref>();
  const backoff = backoffs(clock, kick);

  async function step(ref: Ref): Promise<void> {
    if (backoff.isWaiting(ref)) return;
    await world.locked(ref, async () => {
      try {
        while (await one(ref));
        if (!backoff.isWaiting(ref)) backoff.delete(ref);
        clearBlock(world, ref);
      } catch (thrown) {
        backoff.add(ref);
        blocked(ref, thrown);
        noteBlock(world, ref, thrown);
        // No guess when Codex will have opened it: it says so. Refused late, it is refused like any other.
        live.openings.get(ref)?.answer.then(
          () => backoff.end(ref),
          () => {},
        );
      }
    });
  }

  /** One attempt of the first thing that can go; answers whether there may be more. */
  async function one(ref: Ref): Promise<boolean> {
    const lane = store.lanes.find(ref);
    if (!lane || !isDue(lane)) return false;
    return (await tried(world, ref, () => go(lane))) === true;
  }

  async function go(lane: Lane): Promise<boolean> {
    const { ref } = lane;
    if (lane.source === "attached") {
      await giveToCodex(world, lane, nextStart(lane)!);
      return false;
    }
    const opened = await open(world, ref);
    await activateGoal(world, opened);
    const turn = runningTurn(world, ref);
    if (turn) {
      const steering = nextSteer(ref, turn);
      return steering ? attempt(steering, opened, steer) : false;
    }
    if (store.turns.running(ref).length > 0 || (!nextStart(opened.lane) && !store.messages.nextContext(ref)))
      return false;
    if (!(await isIdle(world, opened)) || store.turns.running(ref).length > 0) return false;
    // Read again: the question above let others in.
    const now = store.lanes.find(ref);
    const context = now && store.messages.nextContext(ref);
    if (context) return attempt(context, opened, inject);
    const next = now && nextStart(now);
    return next ? attempt(next, opened, start) : false;
  }

  async function attempt(message: Message, opened: Opened, deliver: typeof start): Promise<boolean> {
    // Asked in the transaction that claims: of two that saw the last place free, one gets it.
    const isClaimed = journal.commit((change) => {
      if (deliver === start && startRefusal(world, opened.lane) !== null) return false;
      claim(world, change, message, opened);
      return true;
    });
    if (!isClaimed) return false;
    await deliver(world, store.messages.get(message.id), opened);
    if (store.messages.get(message.id).state !== "queued") return true;
    backoff.add(message.lane);
    return false;
  }

  function isDue(lane: Lane): boolean {
    if (store.messages.inFlight(lane.ref) || isCulprit(world, lane.ref)) return false;
    if (lane.source === "attached")
      return (
        lane.pending > 0 &&
        policyAllows(({ attachedQueue }) => attachedQueue) &&
        nextStart(lane) !== undefined
      );
    if (writeLock(lane) !== null) return false;
    if (lane.setup !== "ready" || isGoalDue(world, lane)) return true;
    if (lane.pending === 0) return false;
    const running = store.turns.running(lane.ref);
    if (running.length === 0) return mayStart(lane) || store.messages.nextContext(lane.ref) !== undefined;
    const turn = running.findLast((one) => isRunning(one, live));
    return turn !== undefined && nextSteer(lane.ref, turn) !== undefined;
  }

  const mayStart = (lane: Lane) => nextStart(lane) !== undefined && startRefusal(world, lane) === null;

  const nextSteer = (ref: Ref, turn: Turn) =>
    store.messages.steers(ref, turn.turn_id).find((message) => message.state === "queued");

  /** With no turn running: what a hold lets pass, a person asked to run now; else it goes in the order of the queue. */
  function nextStart(lane: Lane): Message | undefined {
    return mayPass(lane.hold_reason) ? store.messages.next(lane.ref, lane.hold_reason !== null) : undefined;
  }

  function blocked(ref: Ref, thrown: unknown): void {
    const reason = errorMessage(thrown);
    log.warn("what waits could not be delivered yet", { lane: ref, reason });
    const lane = store.lanes.find(ref);
    if (lane) waits(lane, reason);
  }

  /** What could go, were fewer turns running elsewhere, says so. */
  function recordCapacityBlock(lane: Lane): void {
    if (lane.pending === 0) return;
    const full = capacityMessage(world);
    if (full === null || writeLock(lane) !== null || store.messages.inFlight(lane.ref)) return;
    if (store.turns.running(lane.ref).length === 0 && nextStart(lane) !== undefined) waits(lane, full);
  }

  function waits({ ref, blocked_reason }: Lane, reason: string): void {
    if (blocked_reason === reason) return;
    try {
      journal.note(() => store.lanes.set(ref, { blocked_reason: reason }));
    } catch (refused) {
      log.warn("why something waits could not be stored", { lane: ref, reason: errorMessage(refused) });
    }
  }

  /** Never throws: it is called by timers, after commits, and by whoever just had a message accepted. */
  function kick(ref: Ref): void {
    try {
      begin(ref);
    } catch (thrown) {
      log.warn("a thread could not be looked at, and will be again", { lane: ref, thrown });
      backoff.add(ref);
    }
  }

  function begin(ref: Ref): void {
    // Refused a moment ago: its own timer comes back to it.
    if (backoff.isWaiting(ref)) return;
    const lane = autoReleaseHold(store.lanes.find(ref));
    if (!lane || !isDue(lane)) {
      if (lane) recordCapacityBlock(lane);
      return;
    }
    if (kicked.has(ref)) {
      again.add(ref);
      return;
    }
    kicked.add(ref);
    step(ref)
      .catch((thrown: unknown) => log.error("a delivery failed", { lane: ref, thrown }))
      .finally(() => {
        kicked.delete(ref);
        if (again.delete(ref)) kick(ref);
      });
  }

  /** A hold of a kind that the user wants to release itself goes as soon as its turn is over. */
  function autoReleaseHold(lane: Lane | undefined): Lane | undefined {
    const reason = lane?.hold_reason;
    if (
      !reason ||
      isCulprit(world, lane.ref) ||
      !policyAllows(({ releaseAfter }) => releaseAfter.includes(reason)) ||
      store.turns.running(lane.ref).length > 0
    )
      return lane;
    journal.commit((change) => release(store, change, lane.ref));
    return store.lanes.find(lane.ref);
  }

  function policyAllows(asked: (policy: Policy) => boolean): boolean {
    try {
      return asked(world.policy());
    } catch (thrown) {
      // A broken file allows nothing; doctor, and whoever edits it, is told.
      log.warn("the configuration is not read", { reason: errorMessage(thrown) });
      return false;
    }
  }

  function dropForgotten(): void {
    const { suspects, culprits } = world.blame;
    const refs = [...backoff.refs(), ...live.blocked.keys(), ...suspects.keys(), ...culprits.keys()];
    for (const ref of refs) {
      if (store.lanes.find(ref)) continue;
      backoff.delete(ref);
      live.blocked.delete(ref);
      acquit(world, ref);
    }
  }

  return {
    step,
    kick,
    isDue,
    dropForgotten,
    freshStart() {
      dropForgotten();
      backoff.clear();
      for (const ref of [...live.blocked.keys()]) {
        clearBlock(world, ref);
        kick(ref);
      }
    },
  };
}

/** The turn of this child's life, or undefined. */
export function runningTurn({ store, live }: CoreDeps, ref: Ref): Turn | undefined {
  return store.turns.running(ref).findLast((turn) => isRunning(turn, live));
}

/**
 * `turn/start` on a running turn silently steers it, and an injection into one is lost when it is cut (both measured);
 * so idle is proven, never assumed: by what this child said of the thread a moment ago, else by asking it.
 */
export async function isIdle({ agent, live, clock }: CoreDeps, { lane }: Opened): Promise<boolean> {
  const known = live.get(lane.thread_id);
  if (known && saysIdle(known) && clock.monotonic() - known.at <= limits.statusFreshMs) return true;
  const { status } = await agent.readThread(lane.thread_id);
  if (status === "not_loaded") live.drop(lane.thread_id);
  else live.setStatus(lane.thread_id, status);
  return saysIdle(live.get(lane.thread_id));
}
