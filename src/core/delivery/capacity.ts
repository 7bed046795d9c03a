/** How many turns dispatch starts at a time: `[policy] max_running_turns`. Goals, and other apps, start theirs all the same. */
import { errorMessage } from "../../base/error.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import { limitWords } from "../state/usagelimit.ts";

/** Why no turn may start in this thread now, or null. */
export function startRefusal(world: CoreDeps, lane: Lane): string | null {
  return limitWords(world, lane) ?? capacityMessage(world);
}

/** What the user is told while it holds, or null while there is room. A broken configuration limits nothing. */
export function capacityMessage(world: CoreDeps): string | null {
  const most = mostOf(world);
  if (most === null || world.store.messages.countBusy(world.live.epoch()) < most) return null;
  return `${most} ${most === 1 ? "turn runs" : "turns run"}, as many as [policy] max_running_turns allows`;
}

/** Whom a turn that ended makes room for; empty where nothing is limited. */
export function nextInLine(world: CoreDeps): Ref[] {
  const most = mostOf(world);
  const room = most === null ? 0 : most - world.store.messages.countBusy(world.live.epoch());
  return room > 0 ? world.store.lanes.waiting(room) : [];
}

function mostOf({ policy, log }: CoreDeps): number | null {
  try {
    return policy().maxRunningTurns;
  } catch (thrown) {
    log.debug("the configuration is not read", { reason: errorMessage(thrown) });
    return null;
  }
}
