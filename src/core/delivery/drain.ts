/** The loop that brings what waits on a lane to Codex: one in flight, in the order of the queue, never under a turn. */
import { errorMessage } from "../../base/error.ts";
import { acquit, isCulprit, tried } from "../loading/blame.ts";
import { activateGoal, isGoalDue } from "../loading/goal.ts";
import { type Opened, open } from "../loading/open.ts";
import type { CoreDeps, Policy } from "../model/deps.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import { clearBlock, noteBlock } from "../state/blocked.ts";
import { release } from "../state/hold.ts";
import { isRunning } from "../state/lane.ts";
import { claim, inject, start, steer } from "./attempt.ts";
import { backoffs } from "./backoff.ts";
import { startBlock } from "./capacity.ts";
import { giveToCodex } from "./codexqueue.ts";
import { isIdle } from "./idle.ts";
import { type NextAction, nextAction } from "./next.ts";

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

const deliveries = { steer, inject, start };

export function drain(deps: CoreDeps): Drain {
  const { store, journal, live, clock, log } = deps;
  const kicked = new Set<Ref>();
  const again = new Set<Ref>();
  const backoff = backoffs(clock, kick);

  async function step(ref: Ref): Promise<void> {
    if (backoff.isWaiting(ref)) return;
    await deps.locked(ref, async () => {
      try {
        while (await one(ref));
        if (!backoff.isWaiting(ref)) backoff.delete(ref);
        clearBlock(deps, ref);
      } catch (thrown) {
        backoff.add(ref);
        blocked(ref, thrown);
        noteBlock(deps, ref, thrown);
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
    if (!lane) return false;
    const action = actionFor(lane);
    if (action.kind === "none" || action.kind === "wait") return false;
    return (await tried(deps, ref, () => go(lane, action))) === true;
  }

  async function go(lane: Lane, action: NextAction): Promise<boolean> {
    if (action.kind === "give") {
      await giveToCodex(deps, lane, action.message);
      return false;
    }
    const { ref } = lane;
    const opened = await open(deps, ref);
    await activateGoal(deps, opened);
    const next = actionOpen(ref);
    if (next.kind !== "steer" && next.kind !== "inject" && next.kind !== "start") return false;
    if (next.kind !== "steer" && !(await isIdle(deps, opened))) return false;
    return attempt(ref, opened, next.kind === "steer" ? ["steer"] : ["inject", "start"]);
  }

  async function attempt(
    ref: Ref,
    opened: Opened,
    kinds: readonly (keyof typeof deliveries)[],
  ): Promise<boolean> {
    // Asked in the transaction that claims: what was awaited let others in, and of two that want the last place one gets it.
    const claimed = journal.commit((change) => {
      const now = actionOpen(ref);
      if (!("message" in now) || now.kind === "give" || !kinds.includes(now.kind)) return undefined;
      claim(deps, change, now.message, opened);
      return { id: now.message.id, deliver: deliveries[now.kind] };
    });
    if (!claimed) return false;
    await claimed.deliver(deps, store.messages.get(claimed.id), opened);
    if (store.messages.get(claimed.id).state !== "queued") return true;
    backoff.add(ref);
    return false;
  }

  /** Its thread is open, and what its goal needed was done. */
  function actionOpen(ref: Ref): NextAction {
    const lane = store.lanes.find(ref);
    return lane ? actionFor(lane, true) : { kind: "none" };
  }

  function actionFor(lane: Lane, isReady = lane.setup === "ready" && !isGoalDue(deps, lane)): NextAction {
    const { ref } = lane;
    const running = store.turns.running(ref);
    const turn = running.findLast((one) => isRunning(one, live)) ?? null;
    const steer = turn && store.messages.steers(ref, turn.turn_id).find(({ state }) => state === "queued");
    const isWaiting = lane.pending > 0;
    return nextAction(
      {
        lane,
        hasInFlight: store.messages.inFlight(ref) !== undefined,
        isCulprit: isCulprit(deps, ref),
        isReady,
        turn: turn ?? (running.length > 0 ? "elsewhere" : null),
        waiting: {
          steer: steer ?? null,
          context: (isWaiting && store.messages.nextContext(ref)) || null,
          start: (isWaiting && store.messages.next(ref, lane.hold_reason !== null)) || null,
        },
      },
      {
        attachedQueue: lane.source === "attached" && policyAllows(({ attachedQueue }) => attachedQueue),
        startBlock: isWaiting ? startBlock(deps, lane) : null,
      },
    );
  }

  function isDue(lane: Lane): boolean {
    const { kind } = actionFor(lane);
    return kind !== "none" && kind !== "wait";
  }

  function blocked(ref: Ref, thrown: unknown): void {
    const reason = errorMessage(thrown);
    log.warn("what waits could not be delivered yet", { lane: ref, reason });
    const lane = store.lanes.find(ref);
    if (lane) setBlockedReason(lane, reason);
  }

  function setBlockedReason({ ref, blocked_reason }: Lane, reason: string): void {
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
    if (!lane) return;
    const action = actionFor(lane);
    // What could go, were fewer turns running elsewhere, says so. A usage limit is said of every thread that it keeps.
    if (action.kind === "wait" && action.block.by === "capacity")
      setBlockedReason(lane, action.block.message);
    if (action.kind === "none" || action.kind === "wait") return;
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
      isCulprit(deps, lane.ref) ||
      !policyAllows(({ releaseAfter }) => releaseAfter.includes(reason)) ||
      store.turns.running(lane.ref).length > 0
    )
      return lane;
    journal.commit((change) => release(store, change, lane.ref));
    return store.lanes.find(lane.ref);
  }

  function policyAllows(asked: (policy: Policy) => boolean): boolean {
    try {
      return asked(deps.policy());
    } catch (thrown) {
      // A broken file allows nothing; doctor, and whoever edits it, is told.
      log.warn("the configuration is not read", { reason: errorMessage(thrown) });
      return false;
    }
  }

  function dropForgotten(): void {
    const { suspects, culprits } = deps.blame;
    const refs = [...backoff.refs(), ...live.blocked.keys(), ...suspects.keys(), ...culprits.keys()];
    for (const ref of refs) {
      if (store.lanes.find(ref)) continue;
      backoff.delete(ref);
      live.blocked.delete(ref);
      acquit(deps, ref);
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
        clearBlock(deps, ref);
        kick(ref);
      }
    },
  };
}
