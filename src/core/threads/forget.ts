/** Ends the management of a thread, which Codex keeps. */
import { errorMessage, fail } from "../../base/error.ts";
import { refuseAgents, refuseGoal, refuseUnsettled } from "../loading/idle.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Ref } from "../model/ports/rows.ts";
import { endQueued } from "../state/settle.ts";

export async function forget(deps: CoreDeps, ref: Ref): Promise<void> {
  const { store, journal, live, agent, log } = deps;
  await deps.locked(ref, async () => {
    const lane = store.lanes.get(ref);
    const { thread_id } = lane;
    if (store.turns.running(ref).length > 0)
      fail("thread_busy", `thread ${ref} runs a turn`, { hint: `dispatch stop ${ref}` });
    refuseUnsettled(deps, ref);
    refuseGoal(deps, lane, "it would go on where nobody sees it");
    refuseAgents(deps, lane, "forgetting it would lose their reports");
    journal.commit((change) => {
      endQueued(store, change, ref, "cancelled");
      store.lanes.forget(ref, change.now);
      change.append({ kind: "thread.forgotten", lane: ref, data: { thread_id } });
    });
    if (thread_id === null || !live.get(thread_id)) return;
    live.drop(thread_id);
    await agent
      .unsubscribe(thread_id)
      .catch((thrown: unknown) =>
        log.warn("a forgotten thread was not unloaded", { reason: errorMessage(thrown) }),
      );
  });
}
