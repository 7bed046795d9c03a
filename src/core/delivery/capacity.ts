/** How many turns dispatch runs at a time: `[policy] max_running_turns`. Goals and other apps are not limited. */
import { errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import { limitMessage } from "../state/usagelimit.ts";
import type { StartBlock } from "./next.ts";

/** Why no turn may start in this thread now; null: one may. */
export function startBlock(deps: CoreDeps, lane: Lane): StartBlock | null {
  const limit = limitMessage(deps, lane);
  if (limit !== null) return { by: "usage_limit", message: limit };
  const full = capacityMessage(deps);
  return full === null ? null : { by: "capacity", message: full };
}

/** The message for the user while no turn may start; null: there is room. A broken configuration limits nothing. */
export function capacityMessage(deps: CoreDeps): string | null {
  const max = maxRunningTurns(deps);
  if (max === null || deps.store.messages.countBusy(deps.live.epoch()) < max) return null;
  return `${max} ${max === 1 ? "turn runs" : "turns run"}, as many as [policy] max_running_turns allows`;
}

/**
 * The lanes that may start a turn after another turn ended; empty when nothing is limited. A lane with a usage limit
 * takes no place.
 */
export function nextInLine(deps: CoreDeps): Ref[] {
  const { store, live } = deps;
  const max = maxRunningTurns(deps);
  const room = max === null ? 0 : max - store.messages.countBusy(live.epoch());
  if (room <= 0) return [];
  if (store.usageLimits.list().length === 0) return store.lanes.waiting(room);
  const mayGo = (ref: Ref) => limitMessage(deps, store.lanes.get(ref)) === null;
  return store.lanes.waiting(limits.thread.max).filter(mayGo).slice(0, room);
}

function maxRunningTurns({ policy, log }: CoreDeps): number | null {
  try {
    return policy().maxRunningTurns;
  } catch (thrown) {
    log.debug("the configuration is not read", { reason: errorMessage(thrown) });
    return null;
  }
}
