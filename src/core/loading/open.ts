/**
 * Makes a lane's thread ready to take work in the running child: started, named (which is what makes it durable),
 * or resumed with every setting it ever had. Called under the lane's lock.
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
import { settleAlreadySent } from "./alreadysent.ts";
import { noteOpened, watched } from "./blame.ts";
import { confirmed } from "./confirmed.ts";
import { newestTurn, rememberTurn } from "./earlier.ts";
import { completed, differences, pinned } from "./effective.ts";
import { putGoal } from "./goal.ts";
import { forkThread, isFork, startThread } from "./newthread.ts";
import { load, loaded, loadedIf, refuseWhileOpening } from "./opening.ts";

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
    // Nothing that a caller wants is done by opening.
    throw withNothingDone(thrown);
  }
}

/**
 * The same for a thread that is being made, which a refusal may end: so it blocks nothing. `fork` makes the thread of a
 * lane that is to be a fork and has none.
 */
export async function openNew(deps: CoreDeps, ref: Ref, fork?: () => Promise<ThreadOpened>): Promise<Opened> {
  const epoch = await deps.agent.ready(limits.codex.readyWaitMs);
  const done = await watched(deps, ref, () => opened(deps, ref, epoch, fork));
  noteOpened(deps, ref);
  // What its goal was refused is not settled by opening it.
  if (done.lane.goal_setup === null) clearBlock(deps, ref);
  return done;
}

async function opened(
  deps: CoreDeps,
  ref: Ref,
  epoch: Epoch,
  fork?: () => Promise<ThreadOpened>,
): Promise<Opened> {
  const { store, live } = deps;
  let lane = store.lanes.get(ref);
  // What was already given to Codex is still followed to its end.
  const isUnderWay = store.turns.running(ref).length > 0 || store.messages.inFlight(ref) !== undefined;
  if (!isUnderWay) refuseWithoutFolder(deps, lane);
  refuseWhileOpening(deps, ref);
  if (lane.thread_id === null) lane = await made(deps, lane, fork);
  else if (!live.get(lane.thread_id)) lane = await resume(deps, lane, lane.thread_id, epoch);
  if (lane.setup === "started") lane = await name(deps, lane, lane.thread_id!);
  return { lane: lane as Opened["lane"], epoch };
}

async function made(deps: CoreDeps, lane: Lane, fork?: () => Promise<ThreadOpened>): Promise<Lane> {
  const late = () => open(deps, lane.ref);
  if (isFork(lane)) await forkThread(deps, lane, late, fork);
  else await startThread(deps, lane, late);
  return deps.store.lanes.get(lane.ref);
}

async function name(deps: CoreDeps, lane: Lane, threadId: string): Promise<Lane> {
  const { agent } = deps;
  const { goal, goal_setup, ref } = lane;
  // Before its name, so that a refusal leaves no thread behind.
  if (goal_setup === "wanted" && goal !== null) {
    await putGoal(deps, threadId, { objective: goal.objective, status: "paused" });
    deps.journal.commit(() => deps.store.lanes.set(ref, { goal_setup: "paused" }));
  }
  // Codex gives an ephemeral thread no name (measured).
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

/** Codex neither resumes an ephemeral thread nor shows its goal (measured): it is loaded still, or gone. */
async function foundAgain(deps: CoreDeps, lane: Lane, threadId: string): Promise<Lane> {
  const { agent, live, clock } = deps;
  const facts = await agent.readThread(threadId).catch((thrown: unknown) => {
    if (refusalOf(thrown) !== "no_rollout") throw thrown;
  });
  if (!facts || facts.status === "not_loaded") return gone(deps, lane);
  live.set(threadId, { status: facts.status, at: clock.monotonic(), floor: null });
  return lane;
}

async function resume(deps: CoreDeps, lane: Lane, threadId: string, epoch: Epoch): Promise<Lane> {
  const { agent, store, journal } = deps;
  if (isEphemeral(lane)) return foundAgain(deps, lane, threadId);
  try {
    await settleAlreadySent(deps, { ...lane, thread_id: threadId }, epoch);
    const known = await completed(deps, lane);
    const call = async () => {
      await quietGoal(deps, lane, threadId);
      await announceNativeQueue(deps, lane, threadId);
      return agent.resumeThread(threadId, pinned({ ...lane, effective: known }));
    };
    const late = () => open(deps, lane.ref);
    const opened = await load(deps, lane.ref, { call, late, isDurable: false });
    const differing = known ? differences(known, opened.effective) : [];
    if (differing.length > 0) await refuseDiffering(deps, lane, opened, differing);
    loaded(deps, opened, { isNew: false, floor: null });
    await loadedIf(deps, threadId, async () => {
      const newest = await newestTurn(deps, threadId);
      const here = deps.live.get(threadId);
      if (here) here.floor = newest?.id ?? null;
      journal.commit((change) => {
        rememberTurn(deps, change, lane, newest);
        store.lanes.set(lane.ref, {
          evidence_at: change.now,
          rollout_path: opened.thread.path,
          // What an older dispatch did not keep is as Codex has it now.
          effective: { ...opened.effective, ...known },
        });
      });
    });
    return store.lanes.get(lane.ref);
  } catch (thrown) {
    if (refusalOf(thrown) !== "no_rollout") throw thrown;
    return vanished(deps, lane);
  }
}

/** Never counted as open, so that each later try reopens and compares it again. */
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

/** Before it was durable the thread is simply made again; after, it is gone and says so. */
function vanished(deps: CoreDeps, lane: Lane): Promise<Lane> {
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
    return made(deps, store.lanes.get(lane.ref));
  }
  return gone(deps, lane);
}

function gone(deps: CoreDeps, lane: Lane): never {
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
 * A resume continues an active goal at once (measured), so it is paused first: opening a thread never starts work.
 * Answers whether it was.
 */
export async function quietGoal(deps: CoreDeps, lane: Lane, threadId: string): Promise<boolean> {
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

/** What waits in Codex's own queue runs by itself on the resume (measured): said beforehand, as it is none of ours. */
export async function announceNativeQueue(
  { agent, journal }: CoreDeps,
  lane: Lane,
  threadId: string,
): Promise<void> {
  const waiting = (await agent.nativeQueue(threadId)).length;
  if (waiting === 0) return;
  journal.commit((change) => change.append({ kind: "queue.native", lane: lane.ref, data: { waiting } }));
}
