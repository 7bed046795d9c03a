/**
 * Makes a lane's thread ready for work in the running child: created and named, which makes it durable (facts F23), or
 * resumed with all its settings. Called under the lane's lock.
 */

import { errorMessage, fail, withNothingDone } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Epoch } from "../model/ports/agent.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import type { ThreadOpened } from "../model/ports/thread.ts";
import { refusalOf } from "../model/refusal.ts";
import { clearBlock, noteBlock } from "../state/blocked.ts";
import { refuseWithoutFolder } from "../state/folder.ts";
import { hold } from "../state/hold.ts";
import { isEphemeral } from "../state/lane.ts";
import { endQueued } from "../state/settle.ts";
import { noteTools } from "../state/tools.ts";
import { settleAlreadySent } from "./alreadysent.ts";
import { noteOpened, watched } from "./blame.ts";
import { confirmed } from "./confirmed.ts";
import { newestTurn, rememberTurn } from "./earlier.ts";
import { differences, keptEffective, resumeSettings, withDetails } from "./effective.ts";
import { putGoal } from "./goal.ts";
import { forkThread, isFork, startThread } from "./newthread.ts";
import { finishLoading, load, markLoaded, refuseWhileOpening } from "./opening.ts";

export interface Opened {
  lane: Lane & { thread_id: string };
  epoch: Epoch;
}

/**
 * Throws `agent_down`, `timeout`, `agent`, `not_found` (forgotten meanwhile, or gone from Codex), `conflict` (settings
 * differ).
 */
export async function open(deps: CoreDeps, ref: Ref): Promise<Opened> {
  try {
    return await openNew(deps, ref);
  } catch (thrown) {
    noteBlock(deps, ref, thrown);
    // Opening alone does nothing of what the caller requested.
    throw withNothingDone(thrown);
  }
}

/**
 * The same for a thread that is being created. A refusal may remove it, so it sets no block. `fork` creates the thread
 * of a lane that is to be a fork and has none.
 */
export async function openNew(deps: CoreDeps, ref: Ref, fork?: () => Promise<ThreadOpened>): Promise<Opened> {
  const epoch = await deps.agent.ready(limits.codex.readyWaitMs);
  const done = await watched(deps, ref, () => openLane(deps, ref, epoch, fork));
  noteOpened(deps, ref);
  // Opening it does not settle a refusal of its goal.
  if (done.lane.goal_setup === null) clearBlock(deps, ref);
  return done;
}

async function openLane(
  deps: CoreDeps,
  ref: Ref,
  epoch: Epoch,
  fork?: () => Promise<ThreadOpened>,
): Promise<Opened> {
  const { store, live } = deps;
  let lane = store.lanes.get(ref);
  // A message that Codex already has is still followed to its end.
  const isUnderWay = store.turns.running(ref).length > 0 || store.messages.inFlight(ref) !== undefined;
  if (!isUnderWay) refuseWithoutFolder(deps, lane);
  refuseWhileOpening(deps, ref);
  if (lane.thread_id === null) lane = await createThread(deps, lane, fork);
  else if (!live.get(lane.thread_id)) lane = await resume(deps, lane, lane.thread_id, epoch);
  if (lane.setup === "started") lane = await nameThread(deps, lane, lane.thread_id!);
  return { lane: lane as Opened["lane"], epoch };
}

async function createThread(deps: CoreDeps, lane: Lane, fork?: () => Promise<ThreadOpened>): Promise<Lane> {
  const late = () => open(deps, lane.ref);
  if (isFork(lane)) await forkThread(deps, lane, late, fork);
  else await startThread(deps, lane, late);
  return deps.store.lanes.get(lane.ref);
}

async function nameThread(deps: CoreDeps, lane: Lane, threadId: string): Promise<Lane> {
  const { agent } = deps;
  const { goal, goal_setup, ref } = lane;
  // Before its name, so that a refusal leaves no thread behind.
  if (goal_setup === "wanted" && goal !== null) {
    await putGoal(deps, threadId, { objective: goal.objective, status: "paused" });
    deps.journal.commit(() => deps.store.lanes.set(ref, { goal_setup: "paused" }));
  }
  // Codex gives an ephemeral thread no name (facts F33).
  if (!isEphemeral(lane))
    await confirmed(
      agent.nameThread(threadId, lane.title),
      async () => (await agent.readThread(threadId)).name === lane.title,
    );
  deps.journal.commit((change) => {
    deps.store.lanes.set(lane.ref, {
      setup: "ready",
      durable_at: isEphemeral(lane) ? null : change.now,
      blocked_reason: null,
      evidence_at: change.now,
      updated_at: change.now,
    });
    change.append({ kind: "thread.ready", lane: lane.ref, data: { thread_id: threadId } });
  });
  return deps.store.lanes.get(lane.ref);
}

/** Codex neither resumes an ephemeral thread nor shows its goal (facts F33): it is still loaded, or gone. */
async function findEphemeral(deps: CoreDeps, lane: Lane, threadId: string): Promise<Lane> {
  const { agent, live, clock } = deps;
  const facts = await agent.readThread(threadId).catch((thrown: unknown) => {
    if (refusalOf(thrown) !== "no_rollout") throw thrown;
  });
  if (!facts || facts.status === "not_loaded") return failGone(deps, lane);
  live.set(threadId, { status: facts.status, at: clock.monotonic(), floor: null });
  return lane;
}

async function resume(deps: CoreDeps, lane: Lane, threadId: string, epoch: Epoch): Promise<Lane> {
  const { agent, store, journal } = deps;
  if (isEphemeral(lane)) return findEphemeral(deps, lane, threadId);
  try {
    await settleAlreadySent(deps, { ...lane, thread_id: threadId }, epoch);
    const known = await withDetails(deps, lane);
    const call = async () => {
      await pauseGoal(deps, lane, threadId);
      await reportNativeQueue(deps, lane, threadId);
      return agent.resumeThread(threadId, resumeSettings({ ...lane, effective: known }));
    };
    const late = () => open(deps, lane.ref);
    const opened = await load(deps, lane.ref, { call, late, isDurable: false });
    const differing = known ? differences(known, opened.effective) : [];
    if (differing.length > 0) await refuseDiffering(deps, lane, opened, differing);
    markLoaded(deps, opened, { isNew: false, floor: null });
    await finishLoading(deps, threadId, async () => {
      const newest = await newestTurn(deps, threadId);
      const liveThread = deps.live.get(threadId);
      if (liveThread) liveThread.floor = newest?.id ?? null;
      journal.commit((change) => {
        rememberTurn(deps, change, lane, newest);
        store.lanes.set(lane.ref, {
          evidence_at: change.now,
          rollout_path: opened.thread.path,
          effective: keptEffective(known, opened.effective),
        });
        noteTools(change, lane, opened.effective);
      });
    });
    return store.lanes.get(lane.ref);
  } catch (thrown) {
    if (refusalOf(thrown) !== "no_rollout") throw thrown;
    return replaceVanished(deps, lane);
  }
}

/** The thread never counts as open, so that each later attempt opens and compares it again. */
async function refuseDiffering(
  deps: CoreDeps,
  lane: Lane,
  opened: ThreadOpened,
  differing: string[],
): Promise<never> {
  const { agent, store, journal, log } = deps;
  journal.commit((change) => hold(store, change, lane.ref, "settings_differ"));
  await agent
    .unsubscribe(opened.thread.id)
    .catch((thrown: unknown) =>
      log.warn("a thread with other settings was not unloaded", { reason: errorMessage(thrown) }),
    );
  fail(
    "conflict",
    `Codex reopened thread ${lane.ref} with other settings (${differing.join(", ")}); nothing was sent`,
    {
      hint: `dispatch fork ${lane.ref} --name NAME, with the settings it should have`,
      data: { stored: lane.effective, effective: opened.effective },
    },
  );
}

/** A thread that was not durable is created again; a durable one is gone. */
function replaceVanished(deps: CoreDeps, lane: Lane): Promise<Lane> {
  const { store, journal } = deps;
  if (lane.durable_at === null) {
    journal.commit(() =>
      store.lanes.set(lane.ref, {
        thread_id: null,
        setup: "starting",
        rollout_path: null,
        goal_setup: lane.goal_setup && "wanted",
      }),
    );
    return createThread(deps, store.lanes.get(lane.ref));
  }
  return failGone(deps, lane);
}

function failGone(deps: CoreDeps, lane: Lane): never {
  markGone(deps, lane.ref);
  fail("not_found", `Codex no longer has the thread of ${lane.ref}`, { hint: `dispatch forget ${lane.ref}` });
}

export function markGone({ store, journal }: CoreDeps, ref: Ref): void {
  journal.commit((change) => {
    store.lanes.set(ref, { gone_at: change.now, updated_at: change.now });
    endQueued(store, change, ref, { code: "not_found", message: "Codex no longer has the thread" });
    change.append({ kind: "thread.gone", lane: ref });
  });
}

/**
 * A resume continues an active goal at once (facts T10), so the goal is paused first: opening a thread never starts
 * work. Returns whether a goal was paused.
 */
export async function pauseGoal(deps: CoreDeps, lane: Lane, threadId: string): Promise<boolean> {
  const { agent, store, journal } = deps;
  const goal = await agent.readGoal(threadId);
  if (goal?.status !== "active") return false;
  await putGoal(deps, threadId, { status: "paused" });
  journal.commit((change) => {
    const isInterrupted = lane.source === "own" ? { interrupted: true as const } : {};
    store.lanes.set(lane.ref, { goal: { ...goal, status: "paused", ...isInterrupted } });
    change.append({
      kind: "goal.changed",
      lane: lane.ref,
      data: { status: "paused", by: "dispatch", why: "the thread was reopened" },
    });
  });
  return true;
}

/**
 * Messages in Codex's own queue run by themselves after a resume (facts T10). They are not ours, so they are reported
 * beforehand.
 */
export async function reportNativeQueue(
  { agent, journal }: CoreDeps,
  lane: Lane,
  threadId: string,
): Promise<void> {
  const waiting = (await agent.nativeQueue(threadId)).length;
  if (waiting === 0) return;
  journal.commit((change) => change.append({ kind: "queue.native", lane: lane.ref, data: { waiting } }));
}
