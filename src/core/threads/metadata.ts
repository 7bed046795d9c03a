/**
 * The metadata of a thread, managed or not: its name, and whether it is archived. No function here starts or resumes a
 * turn.
 */

import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { assertIdle, explainActiveWriter, refuseAgents, refuseWorkingAgent } from "../loading/idle.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import { refusalOf } from "../model/refusal.ts";
import type { ThreadTarget } from "../model/target.ts";
import { cutGoal } from "../state/goal.ts";
import { freeHandle, slug } from "../state/handle.ts";
import { refuseMisleadingTitle } from "../state/title.ts";

/** `agentThread`: the thread that the caller runs in, or null. */
export async function rename(
  deps: CoreDeps,
  target: ThreadTarget,
  name: string,
  agentThread: string | null = null,
): Promise<void> {
  const { agent, store, journal } = deps;
  await agent.ready(limits.codex.readyWaitMs);
  if ("threadId" in target) {
    await agent.nameThread(target.threadId, name).catch(notThere(target.threadId));
    return;
  }
  await deps.locked(target.ref, async () => {
    const lane = store.lanes.find(target.ref) ?? gone(target.ref);
    refuseMisleadingTitle(store, name, (other) => `dispatch rename ${lane.ref} "${other}"`);
    const handle = lane.source === "own" ? slug(name) || null : null;
    const refuseTaken = () => {
      const holder = handle === null ? undefined : store.lanes.findByHandle(handle);
      if (!holder || holder.ref === lane.ref || holder.archived_at !== null) return;
      fail("conflict", `the handle @${handle} is taken by ${holder.ref}`, {
        hint: `dispatch rename ${lane.ref} "${name} 2"`,
      });
    };
    refuseTaken();
    // Codex gives an archived thread no name: it answers that there is no rollout (facts F35).
    if (lane.archived_at !== null && lane.durable_at !== null)
      fail("conflict", `thread ${lane.ref} is archived, and Codex renames no archived thread`, {
        hint: `dispatch restore ${lane.ref}`,
      });
    // A thread that is not durable yet is given its name when it is made.
    if (lane.durable_at !== null) await agent.nameThread(lane.thread_id!, name);
    // Checked again: other calls may have run while Codex was called.
    refuseTaken();
    journal.commit((change) => {
      // Codex may have told of the new name before it answered.
      const now = store.lanes.find(lane.ref);
      const isNew = now?.title !== name || now.handle !== handle;
      store.lanes.set(lane.ref, {
        title: name,
        handle,
        named_by_agent: agentThread !== null,
        updated_at: change.now,
      });
      if (!isNew) return;
      change.append({
        kind: "thread.renamed",
        lane: lane.ref,
        data: { title: name.slice(0, limits.thread.previewCharsMax) },
      });
    });
  });
}

export async function archive(deps: CoreDeps, target: ThreadTarget): Promise<void> {
  const { agent, store, live, journal } = deps;
  await agent.ready(limits.codex.readyWaitMs);
  if ("threadId" in target) {
    refuseWorkingAgent(deps, target.threadId);
    await agent
      .archiveThread(target.threadId)
      .catch((thrown) => explainActiveWriter(thrown, target.threadId));
    return;
  }
  await deps.locked(target.ref, async () => {
    const lane = await assertIdle(deps, target.ref, "archiving", true);
    if (lane.archived_at !== null) return;
    refuseAgents(deps, lane, "archiving it would cut them");
    refuseWorkingAgent(deps, lane.thread_id);
    if (lane.thread_id !== null) await archiveThere(deps, lane, lane.thread_id);
    journal.commit((change) => {
      const goal = cutGoal(lane.goal);
      store.lanes.set(lane.ref, { archived_at: change.now, goal, updated_at: change.now });
      change.append({ kind: "thread.archived", lane: lane.ref });
    });
    if (lane.thread_id !== null) live.drop(lane.thread_id);
  });
}

/** A lane that Codex has no rollout for is archived here only. */
async function archiveThere({ agent }: CoreDeps, lane: Lane, threadId: string): Promise<void> {
  try {
    await agent.archiveThread(threadId);
  } catch (thrown) {
    if (refusalOf(thrown) !== "no_rollout") explainActiveWriter(thrown, lane.ref);
  }
}

export async function restore(deps: CoreDeps, target: ThreadTarget): Promise<void> {
  const { agent, store, journal } = deps;
  await agent.ready(limits.codex.readyWaitMs);
  if ("threadId" in target) {
    await agent.unarchiveThread(target.threadId).catch(notThere(target.threadId));
    return;
  }
  await deps.locked(target.ref, async () => {
    const lane = store.lanes.find(target.ref) ?? gone(target.ref);
    if (lane.archived_at === null) return;
    if (lane.thread_id !== null) {
      await agent.unarchiveThread(lane.thread_id).catch((thrown: unknown) => {
        if (refusalOf(thrown) !== "no_rollout") throw thrown;
      });
    }
    journal.commit((change) => {
      // Another thread may have got its handle meanwhile.
      const handle = lane.handle === null ? null : freeHandle(store, lane.handle);
      store.lanes.set(lane.ref, { archived_at: null, handle, updated_at: change.now });
      change.append({ kind: "thread.restored", lane: lane.ref });
    });
  });
}

function gone(ref: Ref): never {
  fail("not_found", `thread ${ref} was forgotten`, { hint: "dispatch list" });
}

function notThere(threadId: string): (thrown: unknown) => never {
  return (thrown) => {
    if (refusalOf(thrown) !== "no_rollout") throw thrown;
    fail("not_found", `Codex has no thread ${threadId}`, {
      hint: "dispatch list --unmanaged",
      cause: thrown,
    });
  };
}
