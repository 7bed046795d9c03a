/**
 * Whether a turn may start: a handover, the usage limit of the account and the limits of the user forbid it. The next
 * turns of a goal that has begun, and other apps, are not limited.
 */
import { errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import { budgetBlock, budgetsOf } from "./budget.ts";
import { limitMessage } from "./usagelimit.ts";

/** Why no turn may start now: the account has a usage limit, or a limit that the user set is reached. */
export interface StartBlock {
  by: "usage_limit" | "limits";
  message: string;
  /** For a text that was to run at once. */
  hint: string;
}

/** Why no turn may start in this thread now; null: one may. */
export function startBlock(deps: CoreDeps, lane: Lane): StartBlock | null {
  return handoverBlock(deps) ?? usageBlock(deps, lane) ?? placeBlock(deps, lane) ?? spentBlock(deps, lane);
}

/** The same for a goal that is to begin. In a thread that runs a turn it takes the place of that turn. */
export function goalBlock(deps: CoreDeps, lane: Lane): StartBlock | null {
  if (deps.store.turns.running(lane.ref).length === 0) return startBlock(deps, lane);
  return handoverBlock(deps) ?? usageBlock(deps, lane) ?? spentBlock(deps, lane);
}

function handoverBlock({ clock, live }: CoreDeps): StartBlock | null {
  if (clock.monotonic() >= live.handover.until) return null;
  return {
    by: "limits",
    message: "a new daemon takes over when no turn runs",
    hint: "send it with --queue",
  };
}

function usageBlock(deps: CoreDeps, lane: Lane): StartBlock | null {
  const message = limitMessage(deps, lane);
  return message === null
    ? null
    : { by: "usage_limit", message, hint: "send it with --queue to wait for it" };
}

function placeBlock(deps: CoreDeps, lane: Lane): StartBlock | null {
  const message = capacityMessage(deps, lane);
  return message === null ? null : { by: "limits", message, hint: "send it with --queue to wait its turn" };
}

function spentBlock(deps: CoreDeps, lane: Lane): StartBlock | null {
  const block = budgetBlock(deps, lane);
  return block && { by: "limits", ...block };
}

/** For some seconds no turn starts, so that the running ones are the last ones. `goOn` is called if nobody took over. */
export function beginHandover({ live, clock }: CoreDeps, goOn: () => void): void {
  live.handover.until = clock.monotonic() + limits.daemon.handoverMs;
  clock.after(limits.daemon.handoverMs + limits.timer.slackMs, () => {
    if (clock.monotonic() >= live.handover.until) goOn();
  });
}

/** The message for the user while no turn may start; null: there is room. */
function capacityMessage(deps: CoreDeps, { cwd }: Lane): string | null {
  const max = maxTurns(deps);
  if (max && countBusy(deps) >= max.turns) return `${turnsRun(max.turns)}, as many as ${max.key} allows`;
  const { turnsPerCwd } = budgetsOf(deps);
  if (turnsPerCwd === null || countBusy(deps, cwd) < turnsPerCwd) return null;
  return `${turnsRun(turnsPerCwd)} in ${cwd}, as many as [limits] turns_per_cwd allows`;
}

/** Turns that run, and those that are about to begin; in one folder, or everywhere. */
function countBusy({ store, live }: CoreDeps, cwd?: string): number {
  const isCounted = (ref: Ref) => store.turns.running(ref).length > 0;
  const goals = [...live.goalStarts.values()].filter(
    (start) => (cwd === undefined || start.cwd === cwd) && !isCounted(start.ref),
  );
  return store.messages.countBusy(live.epoch(), cwd) + goals.length;
}

const turnsRun = (count: number) => `${count} ${count === 1 ? "turn runs" : "turns run"}`;

/**
 * The lanes that may start a turn after another turn ended, the longest waiting first; empty when turns are not limited.
 * A lane that another limit keeps takes no place.
 */
export function nextInLine(deps: CoreDeps): Ref[] {
  const { store } = deps;
  const max = maxTurns(deps);
  const budgets = budgetsOf(deps);
  if (max === null && budgets.turnsPerCwd === null) return [];
  const room = max === null ? limits.thread.max : max.turns - countBusy(deps);
  if (room <= 0) return [];
  const isPlain =
    store.usageLimits.list().length === 0 &&
    [budgets.turnsPerCwd, budgets.tokensPerDay, budgets.tokensPerThread, budgets.pauseAtPercent].every(
      (limit) => limit === null,
    );
  if (isPlain) return store.lanes.waiting(room);
  const chosen = new Map<string, number>();
  const mayGo = (ref: Ref) => {
    const lane = store.lanes.get(ref);
    if (startBlock(deps, lane) !== null) return false;
    if (budgets.turnsPerCwd === null) return true;
    const busy = countBusy(deps, lane.cwd) + (chosen.get(lane.cwd) ?? 0);
    if (busy >= budgets.turnsPerCwd) return false;
    chosen.set(lane.cwd, (chosen.get(lane.cwd) ?? 0) + 1);
    return true;
  };
  return store.lanes.waiting(limits.thread.max).filter(mayGo).slice(0, room);
}

/** The smaller of both limits, with its key. A broken configuration limits nothing. */
function maxTurns(deps: CoreDeps): { turns: number; key: string } | null {
  const running = maxRunningTurns(deps);
  const { turns } = budgetsOf(deps);
  if (turns !== null && (running === null || turns < running)) return { turns, key: "[limits] turns" };
  return running === null ? null : { turns: running, key: "[policy] max_running_turns" };
}

function maxRunningTurns({ policy, log }: CoreDeps): number | null {
  try {
    return policy().maxRunningTurns;
  } catch (thrown) {
    log.debug("the configuration is not read", { reason: errorMessage(thrown) });
    return null;
  }
}
