/** Whether a turn runs in a thread: proven by Codex, never assumed. */
import { limits } from "../../base/limits.ts";
import type { Opened } from "../loading/open.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Ref, Turn } from "../model/ports/rows.ts";
import { isRunning, saysIdle } from "../state/lane.ts";

/** The turn that runs in the present child. */
export function runningTurn({ store, live }: CoreDeps, ref: Ref): Turn | undefined {
  return store.turns.running(ref).findLast((turn) => isRunning(turn, live));
}

/**
 * `turn/start` on a running turn steers it without notice (facts F12), and an injection into a turn is lost when the
 * turn is cut (facts F9). So idle is proven, by a status that this child reported a moment ago, else by a read.
 */
export async function isIdle({ agent, live, clock }: CoreDeps, { lane }: Opened): Promise<boolean> {
  const known = live.get(lane.thread_id);
  if (known && saysIdle(known) && clock.monotonic() - known.at <= limits.thread.statusFreshMs) return true;
  const { status } = await agent.readThread(lane.thread_id);
  if (status === "not_loaded") live.drop(lane.thread_id);
  else live.setStatus(lane.thread_id, status);
  return saysIdle(live.get(lane.thread_id));
}
