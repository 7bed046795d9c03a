/** Takes over a thread of another app: from then on only dispatch writes it. */
import { errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { settleAlreadySent } from "../loading/alreadysent.ts";
import { newestTurn, rememberTurn } from "../loading/earlier.ts";
import {
  differences,
  lastTurnPermissions,
  requestedOf,
  resumeSettings,
  withDetails,
} from "../loading/effective.ts";
import { explainActiveWriter } from "../loading/idle.ts";
import { pauseGoal, reportNativeQueue } from "../loading/open.ts";
import { load, markLoaded, refuseWhileOpening } from "../loading/opening.ts";
import { refuseOwnFiles } from "../loading/ownfiles.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import type { EffectiveSettings, ThreadOpened, ThreadSettings } from "../model/ports/thread.ts";
import { freeHandle, slug } from "../state/handle.ts";

/** A lane that has a thread. */
type LaneWithThread = Lane & { thread_id: string };

/** A resume takes Codex's writer lock. */
export async function take(deps: CoreDeps, ref: Ref, mayWriteHome = false): Promise<void> {
  await deps.agent.ready(limits.codex.readyWaitMs);
  await deps.locked(ref, () => takeOver(deps, ref, mayWriteHome));
}

/** Under the lane's lock. A failed take leaves the thread unloaded, and its goal as it was. */
async function takeOver(deps: CoreDeps, ref: Ref, mayWriteHome: boolean): Promise<void> {
  const { store, live } = deps;
  const lane = store.lanes.get(ref) as LaneWithThread;
  if (lane.source === "own") return;
  if (lane.parent_id !== null) {
    fail("authority", `${ref} is a sub-agent's thread: Codex takes no input for it`, {
      hint: `dispatch tail ${ref}`,
    });
  }
  refuseWhileOpening(deps, ref);
  try {
    await resumeForTake(deps, lane, mayWriteHome);
    live.pausedForTake.delete(ref);
  } catch (thrown) {
    // While Codex still works on the call, its late answer decides.
    if (!live.openings.has(ref)) await undoTake(deps, lane);
    throw thrown;
  }
}

async function resumeForTake(deps: CoreDeps, lane: LaneWithThread, mayWriteHome: boolean): Promise<void> {
  const { agent, live } = deps;
  const { ref, thread_id: threadId } = lane;
  const epoch = await agent.ready(limits.codex.readyWaitMs);
  if (await pauseGoal(deps, lane, threadId)) live.pausedForTake.add(ref);
  await reportNativeQueue(deps, lane, threadId);
  await settleAlreadySent(deps, lane, epoch);
  const before = await withDetails(deps, lane);
  const settings = before
    ? resumeSettings({ ...lane, effective: before })
    : { ...lane.settings, ...(await lastSettings(deps, lane)) };
  const call = () => agent.resumeThread(threadId, settings);
  const late = () => takeOver(deps, ref, mayWriteHome);
  const undone = () => undoTake(deps, lane);
  const opened = await load(deps, ref, { call, late, undone, isDurable: false }).catch((thrown: unknown) =>
    explainActiveWriter(thrown, ref),
  );
  try {
    refuseOther(deps, ref, { expected: before ?? requestedOf(settings), opened, mayWriteHome });
    await storeTake(deps, lane, opened, mayWriteHome);
  } catch (thrown) {
    live.drop(threadId);
    await agent
      .unsubscribe(threadId)
      .catch(logWarning(deps, ref, "a thread that was not taken is left loaded"));
    throw thrown;
  }
}

function refuseOther(
  deps: CoreDeps,
  ref: Ref,
  {
    expected,
    opened,
    mayWriteHome,
  }: { expected: Partial<EffectiveSettings>; opened: ThreadOpened; mayWriteHome: boolean },
): void {
  refuseOwnFiles(deps, opened.effective, mayWriteHome);
  const differing = differences(expected, opened.effective);
  if (differing.length > 0)
    fail("conflict", `Codex opened thread ${ref} with other settings (${differing.join(", ")})`, {
      hint: `dispatch fork ${ref} --name NAME, with the settings it should have`,
    });
}

async function storeTake(
  deps: CoreDeps,
  lane: LaneWithThread,
  opened: ThreadOpened,
  mayWriteHome: boolean,
): Promise<void> {
  const { store, journal } = deps;
  const newest = await newestTurn(deps, lane.thread_id);
  markLoaded(deps, opened, { isNew: false, floor: newest?.id ?? null });
  journal.commit((change) => {
    rememberTurn(deps, change, lane, newest);
    const handle = slug(lane.title);
    store.lanes.set(lane.ref, {
      source: "own",
      handle: handle === "" ? null : freeHandle(store, handle),
      cwd: opened.effective.cwd,
      settings: {
        ...lane.settings,
        cwd: opened.effective.cwd,
        ...(mayWriteHome ? { may_write_home: true } : {}),
      },
      effective: opened.effective,
      rollout_path: opened.thread.path,
      evidence_at: change.now,
      updated_at: change.now,
    });
    change.append({ kind: "thread.taken", lane: lane.ref });
  });
}

/**
 * After a failed take: the goal of the other app becomes active again. First Codex unloads the thread, since a goal
 * that becomes active in a loaded thread starts work at once. If this fails, the next failed take tries it again. Never
 * throws.
 */
async function undoTake(deps: CoreDeps, lane: LaneWithThread): Promise<void> {
  const { agent, store, live, journal } = deps;
  if (!live.pausedForTake.has(lane.ref)) return;
  try {
    await unloadAndWait(deps, lane);
    await agent.setGoal(lane.thread_id, { status: "active" });
    live.pausedForTake.delete(lane.ref);
    const goal = store.lanes.find(lane.ref)?.goal;
    if (!goal) return;
    journal.commit((change) => {
      store.lanes.set(lane.ref, { goal: { ...goal, status: "active" } });
      const why = "the thread was not taken over";
      change.append({
        kind: "goal.changed",
        lane: lane.ref,
        data: { status: "active", by: "dispatch", why },
      });
    });
  } catch (thrown) {
    logWarning(deps, lane.ref, "the goal of a thread that was not taken is left paused")(thrown);
  }
}

function logWarning({ log }: CoreDeps, lane: Ref, words: string): (thrown: unknown) => void {
  return (thrown) => log.warn(words, { lane, reason: errorMessage(thrown) });
}

/**
 * The settings to resume a thread that was never ours: those of its newest turn. Without them Codex's present
 * configuration would decide. When no turn shows them, it does.
 */
async function lastSettings(deps: CoreDeps, lane: Lane): Promise<Partial<ThreadSettings>> {
  const ran = await lastTurnPermissions(deps, lane);
  if (!ran) return {};
  const { sandbox, approval_policy, details, approval_details } = ran;
  return {
    sandbox,
    approval_policy,
    ...(details ? { sandbox_details: details } : {}),
    ...(approval_details ? { approval_details } : {}),
  };
}

/** Returns when Codex has unloaded the thread and freed its writer lock. */
export async function unloadAndWait(
  { agent, live, clock }: CoreDeps,
  { ref, thread_id }: Lane,
): Promise<void> {
  if (thread_id === null || live.epoch() === null) return;
  await agent.unsubscribe(thread_id);
  // Whatever the result of the wait: its events no longer come, so it no longer counts as open.
  live.drop(thread_id);
  const until = clock.monotonic() + limits.thread.unloadWaitMs;
  while ((await agent.readThread(thread_id)).status !== "not_loaded") {
    if (clock.monotonic() >= until)
      fail("timeout", `Codex has not let go of ${ref} after ${limits.thread.unloadWaitMs / 1000} s`, {
        hint: `dispatch get ${ref}`,
      });
    await clock.sleep(limits.thread.unloadLookEveryMs);
  }
}
