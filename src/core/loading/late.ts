/** Codex loaded a thread after the call for it had timed out. No caller waits for it, but it may already be in use. */
import { errorMessage } from "../../base/error.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { LateThread } from "../model/ports/agentevent.ts";
import { writeLock } from "../state/lane.ts";
import { open } from "./open.ts";
import { undo } from "./opening.ts";

/** Runs after the commit, under the lock of the lane that the thread belongs to. */
export function noteLate(deps: CoreDeps, change: Change, late: LateThread): void {
  const { log } = deps;
  change.after(() => {
    settleLate(deps, late).catch((thrown: unknown) =>
      log.warn("a thread that came too late is left in Codex", {
        thread: late.thread_id,
        reason: errorMessage(thrown),
      }),
    );
  });
}

async function settleLate(deps: CoreDeps, late: LateThread): Promise<void> {
  const { store, live } = deps;
  const ref = store.lanes.findByThread(late.thread_id)?.ref ?? live.unansweredForks.get(late.mark ?? "");
  await (ref === undefined ? applyLate(deps, late) : deps.locked(ref, () => applyLate(deps, late)));
}

async function applyLate(deps: CoreDeps, { thread_id, mark, is_durable }: LateThread): Promise<void> {
  const { store, live } = deps;
  const forkRef = live.unansweredForks.get(mark ?? "");
  const lane = store.lanes.findByThread(thread_id) ?? (forkRef && store.lanes.find(forkRef));
  if (live.get(thread_id) || (lane && live.openings.has(lane.ref))) return;
  // It now counts as loaded, so it is unloaded when it is idle.
  if (lane && writeLock(lane) === null) await open(deps, lane.ref);
  // A fork whose call was answered meanwhile is in use, even if its row is forgotten.
  else await undo(deps, thread_id, is_durable && forkRef !== undefined && !lane);
}
