/** Codex loaded a thread after the call for it was given up. Nobody waits for it, and somebody may use it already. */
import { errorMessage } from "../../base/error.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { LateThread } from "../model/ports/agentevent.ts";
import { writeLock } from "../state/lane.ts";
import { open } from "./open.ts";
import { undo } from "./opening.ts";

/** After the commit, and under the lock of the lane that it is of. */
export function noteLate(deps: CoreDeps, change: Change, late: LateThread): void {
  const { log } = deps;
  change.after(() => {
    settled(deps, late).catch((thrown: unknown) =>
      log.warn("a thread that came too late is left in Codex", {
        thread: late.thread_id,
        reason: errorMessage(thrown),
      }),
    );
  });
}

async function settled(deps: CoreDeps, late: LateThread): Promise<void> {
  const { store, live } = deps;
  const ref = store.lanes.findByThread(late.thread_id)?.ref ?? live.unansweredForks.get(late.mark ?? "");
  await (ref === undefined ? decided(deps, late) : deps.locked(ref, () => decided(deps, late)));
}

async function decided(deps: CoreDeps, { thread_id, mark, is_durable }: LateThread): Promise<void> {
  const { store, live } = deps;
  const asked = live.unansweredForks.get(mark ?? "");
  const lane = store.lanes.findByThread(thread_id) ?? (asked && store.lanes.find(asked));
  if (live.get(thread_id) || (lane && live.openings.has(lane.ref))) return;
  // Now it counts as loaded, so it is unloaded once it is idle.
  if (lane && writeLock(lane) === null) await open(deps, lane.ref);
  // A fork that was answered for by now is somebody's, though its row may be forgotten.
  else await undo(deps, thread_id, is_durable && asked !== undefined && !lane);
}
