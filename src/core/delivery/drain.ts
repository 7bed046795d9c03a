/** The loop that delivers the queue of a lane to Codex: one message in flight, in queue order, never during a turn. */
import { errorMessage } from "../../base/error.ts";
import { acquit, isCulprit, tried } from "../loading/blame.ts";
import { activateGoal, isGoalDue } from "../loading/goal.ts";
import { type Opened, open } from "../loading/open.ts";
import type { CoreDeps, Policy } from "../model/deps.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import { clearBlock, noteBlock } from "../state/blocked.ts";
import { startBlock } from "../state/capacity.ts";
import { release } from "../state/hold.ts";
import { isRunning } from "../state/lane.ts";
import { claim, inject, start, steer } from "./attempt.ts";
import { backoffs } from "./backoff.ts";
import { giveToCodex } from "./codexqueue.ts";
import { isIdle } from "./idle.ts";
import { type NextAction, nextAction } from "./next.ts";

export interface Drain {
  /** Delivers the queue of a lane soon. Repeated calls never overlap. */
  kick(ref: Ref): void;
  /** Delivers everything of a lane that can go now. */
  step(ref: Ref): Promise<void>;
  /** Another child is up, or a person changed something: refused lanes are tried again now. */
  freshStart(): void;
  /** Removes forgotten threads from memory. */
  dropForgotten(): void;
  /**
   * Whether something of this lane could go if its thread were open and idle: a reason to open it, and to keep it open.
   */
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
        while (await attemptFirst(ref));
        if (!backoff.isWaiting(ref)) backoff.delete(ref);
        clearBlock(deps, ref);
      } catch (thrown) {
        backoff.add(ref);
        noteFailure(ref, thrown);
        noteBlock(deps, ref, thrown);
        // When Codex answers the call that opens the thread, the lane is tried at once. A late refusal is handled like
        // any other.
        live.openings.get(ref)?.answer.then(
          () => backoff.end(ref),
          () => {},
        );
      }
    });
  }

  /** Attempts the first action that is possible. Returns whether there may be more. */
  async function attemptFirst(ref: Ref): Promise<boolean> {
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
    // Decided in the transaction that claims: other calls may have run meanwhile, and only one thread gets the last
    // place.
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

  /** For a thread that is open, with its goal set up. */
  function actionOpen(ref: Ref): NextAction {
    const lane = store.lanes.find(ref);
    return lane ? actionFor(lane, true) : { kind: "none" };
  }

  /** Each fact is read when the decision asks for it: at most steps of most threads the first ones decide. */
  function actionFor(lane: Lane, isReady = lane.setup === "ready" && !isGoalDue(deps, lane)): NextAction {
    const { ref } = lane;
    return nextAction(
      {
        lane,
        isReady,
        get hasInFlight() {
          return store.messages.inFlight(ref) !== undefined;
        },
        get isCulprit() {
          return isCulprit(deps, ref);
        },
        get turn() {
          const running = store.turns.running(ref);
          return (
            running.findLast((turn) => isRunning(turn, live)) ?? (running.length > 0 ? "elsewhere" : null)
          );
        },
        waiting: {
          steer: (turn) =>
            store.messages.steers(ref, turn.turn_id).find(({ state }) => state === "queued") ?? null,
          context: () => store.messages.nextContext(ref) ?? null,
          start: () => store.messages.next(ref, lane.hold_reason !== null) ?? null,
        },
      },
      {
        attachedQueue: lane.source === "attached" && policyAllows(({ attachedQueue }) => attachedQueue),
        startBlock: () => startBlock(deps, lane),
      },
    );
  }

  function isDue(lane: Lane): boolean {
    const { kind } = actionFor(lane);
    return kind !== "none" && kind !== "wait";
  }

  function noteFailure(ref: Ref, thrown: unknown): void {
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

  /** Never throws: it is called by timers, after commits, and after a message was accepted. */
  function kick(ref: Ref): void {
    try {
      begin(ref);
    } catch (thrown) {
      log.warn("a thread could not be looked at, and will be again", { lane: ref, thrown });
      backoff.add(ref);
    }
  }

  function begin(ref: Ref): void {
    // It was refused a moment ago; the timer of its back-off tries it again.
    if (backoff.isWaiting(ref)) return;
    const lane = autoReleaseHold(store.lanes.find(ref));
    if (!lane) return;
    const action = actionFor(lane);
    // The lane shows which limit of the user it waits for. A usage limit is shown anyway by every thread that it affects.
    if (action.kind === "wait" && action.block.by === "limits") setBlockedReason(lane, action.block.message);
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

  /** Ends a hold that the configuration releases, as soon as the turn is over. */
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

  function policyAllows(rule: (policy: Policy) => boolean): boolean {
    try {
      return rule(deps.policy());
    } catch (thrown) {
      // A broken file allows nothing. `dispatch doctor` reports it.
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
