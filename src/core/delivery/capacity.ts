/** How many turns dispatch starts at a time: `[policy] max_running_turns`. Goals, and other apps, start theirs all the same. */
import { errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import { limitMessage } from "../state/usagelimit.ts";
import type { StartBlock } from "./next.ts";

/** Null: a turn may start in this thread now. */
export function startBlock(deps: CoreDeps, lane: Lane): StartBlock | null {
  const limit = limitMessage(deps, lane);
  if (limit !== null) return { by: "usage_limit", message: limit };
  const full = capacityMessage(deps);
  return full === null ? null : { by: "capacity", message: full };
}

/** What the user is told while it holds, or null while there is room. A broken configuration limits nothing. */
export function capacityMessage(deps: CoreDeps): string | null {
  const most = mostOf(deps);
  if (most === null || deps.store.messages.countBusy(deps.live.epoch()) < most) return null;
  return `${most} ${most === 1 ? "turn runs" : "turns run"}, as many as [policy] max_running_turns allows`;
}

/** Whom a turn that ended makes room for; empty where nothing is limited. A usage limit keeps no place from others. */
export function nextInLine(deps: CoreDeps): Ref[] {
  const { store, live } = deps;
  const most = mostOf(deps);
  const room = most === null ? 0 : most - store.messages.countBusy(live.epoch());
  if (room <= 0) return [];
  if (store.usageLimits.list().length === 0) return store.lanes.waiting(room);
  const mayGo = (ref: Ref) => limitMessage(deps, store.lanes.get(ref)) === null;
  return store.lanes.waiting(limits.thread.max).filter(mayGo).slice(0, room);
}

function mostOf({ policy, log }: CoreDeps): number | null {
  try {
    return policy().maxRunningTurns;
  } catch (thrown) {
    log.debug("the configuration is not read", { reason: errorMessage(thrown) });
    return null;
  }
}
