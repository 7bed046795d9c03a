/** Gives a lane its thread: a new one, or a fork of another. Under the lane's lock. */
import { DispatchError, errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import type { ThreadOpened } from "../model/ports/thread.ts";
import { isUnanswered, refusalOf } from "../model/refusal.ts";
import { endQueued } from "../state/settle.ts";
import { startCount } from "../state/tokens.ts";
import { newestTurn, rememberTurn } from "./earlier.ts";
import { refuseUnexpected, resumeSettings } from "./effective.ts";
import { finishLoading, type Load, load, markLoaded, undo } from "./opening.ts";
import { refuseOwnFiles } from "./ownfiles.ts";

/** Until its name is answered the thread dies with the child (facts F23), so creating it again leaves no orphan. */
export async function startThread(deps: CoreDeps, lane: Lane, late: Load["late"]): Promise<void> {
  const call = () => deps.agent.startThread(resumeSettings(lane));
  const opened = await load(deps, lane.ref, { call, late, isDurable: false });
  await storeThread(deps, lane, opened, false);
}

/** A fork is on disk before its answer arrives: the mark finds a fork whose answer was lost. */
export const markOf = ({ ref, created_at }: Lane): string => `${ref}.${created_at}`;

export const isFork = (lane: Lane): boolean => lane.cause_id !== null;

/**
 * `fork` creates the thread, once. Without it, the thread of an earlier call is looked for; when there is none, the
 * lane is removed.
 */
export async function forkThread(
  deps: CoreDeps,
  lane: Lane,
  late: Load["late"],
  fork?: () => Promise<ThreadOpened>,
): Promise<void> {
  const call = () => (fork ? requestFork(deps, lane, fork) : resumeFork(deps, lane));
  const opened = await load(deps, lane.ref, { call, late, isDurable: true });
  await storeThread(deps, lane, opened, true);
  deps.live.unansweredForks.delete(markOf(lane));
  await finishLoading(deps, opened.thread.id, async () => {
    const newest = await newestTurn(deps, opened.thread.id);
    const liveThread = deps.live.get(opened.thread.id);
    if (liveThread) liveThread.floor = newest?.id ?? null;
    deps.journal.note((change) => rememberTurn(deps, change, lane, newest));
  });
}

/** A refusal removes the lane, with its own message, however late it comes. */
async function requestFork(
  deps: CoreDeps,
  lane: Lane,
  fork: () => Promise<ThreadOpened>,
): Promise<ThreadOpened> {
  try {
    return await fork();
  } catch (thrown) {
    if (refusalOf(thrown) !== undefined) withdraw(deps, lane.ref, thrown);
    if (isUnanswered(thrown)) deps.live.unansweredForks.set(markOf(lane), lane.ref);
    throw thrown;
  }
}

async function resumeFork(deps: CoreDeps, lane: Lane): Promise<ThreadOpened> {
  const threadId = await findFork(deps, lane);
  if (threadId !== null) return deps.agent.resumeThread(threadId, lane.settings);
  if (deps.live.unansweredForks.has(markOf(lane)))
    fail("timeout", `Codex has not answered whether it made the fork ${lane.ref}, and may still make it`, {
      hint: `dispatch get ${lane.ref}`,
      data: { outcome: "unknown" },
    });
  const refusal = new DispatchError("agent_down", `Codex ended before it made the fork ${lane.ref}`, {
    hint: "nothing was made: try again",
    data: { outcome: "not_sent" },
  });
  withdraw(deps, lane.ref, refusal);
  throw refusal;
}

/** Null: there is none. Throws `conflict` when too many threads were created that day to be certain. */
async function findFork({ agent, store }: CoreDeps, lane: Lane): Promise<string | null> {
  const unmanaged = (await agent.threadsOfDay(lane.created_at)).filter((id) => !store.lanes.findByThread(id));
  const distance = (id: string) => Math.abs(createdAt(id) - lane.created_at);
  const nearest = unmanaged.toSorted((a, b) => distance(a) - distance(b));
  for (const id of nearest.slice(0, limits.wire.forkCandidatesMax)) {
    const thread = await agent.readThread(id).catch((thrown: unknown) => {
      // A file that a kill left before its first line was whole holds no thread (facts F36).
      if (refusalOf(thrown) === undefined) throw thrown;
    });
    if (thread?.mark === markOf(lane)) return id;
  }
  if (nearest.length <= limits.wire.forkCandidatesMax) return null;
  const where = `the ${limits.wire.forkCandidatesMax} threads that were made nearest to it`;
  return fail(
    "conflict",
    `the fork ${lane.ref} was not found among ${where}; Codex may have it all the same`,
    {
      hint: `dispatch list --unmanaged may show it; dispatch forget ${lane.ref}`,
      data: { outcome: "unknown" },
    },
  );
}

/** Ids of Codex begin with the ms since the epoch (UUIDv7). */
function createdAt(threadId: string): number {
  return Number.parseInt(threadId.replace("-", "").slice(0, 12), 16);
}

/** Stores the thread that Codex created, and undoes it when its settings are not the requested ones. */
async function storeThread(
  deps: CoreDeps,
  lane: Lane,
  opened: ThreadOpened,
  isDurable: boolean,
): Promise<void> {
  const { store, journal } = deps;
  try {
    if (!store.lanes.find(lane.ref))
      fail("not_found", `thread ${lane.ref} was forgotten`, { hint: "dispatch list" });
    // Codex's own configuration decided what was not requested.
    refuseOwnFiles(deps, opened.effective, lane.settings.may_write_home);
    refuseUnexpected(lane, opened.effective);
    journal.commit((change) => {
      store.lanes.set(lane.ref, {
        thread_id: opened.thread.id,
        setup: "started",
        // A thread that is created again keeps its stored settings.
        effective: { ...opened.effective, ...lane.effective },
        rollout_path: opened.thread.path,
        evidence_at: change.now,
      });
      // A fork begins with the total of its source, which Codex reports.
      if (!isDurable) startCount(store, change, lane.ref, opened.thread.id);
    });
  } catch (thrown) {
    await undo(deps, opened.thread.id, isDurable);
    throw thrown;
  }
  markLoaded(deps, opened, { isNew: true, floor: null });
}

/** Removes a lane for which no thread was created, and none will be. */
export function withdraw({ store, journal, live }: CoreDeps, ref: Ref, thrown: unknown): void {
  if (!store.lanes.find(ref)) return;
  const why = errorMessage(thrown);
  journal.commit((change) => {
    endQueued(store, change, ref, {
      code: thrown instanceof DispatchError ? thrown.code : "internal",
      message: why,
    });
    // Its key is free again, for the corrected command.
    store.lanes.set(ref, { create_key: null });
    store.lanes.forget(ref, change.now);
    change.append({
      kind: "thread.forgotten",
      lane: ref,
      data: { why: why.slice(0, limits.thread.previewCharsMax) },
    });
  });
  live.blocked.delete(ref);
}
