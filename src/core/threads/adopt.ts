/** Threads that other apps made: found, attached to without touching them, taken over, given back. */
import { isAgent } from "../../base/agentid.ts";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { newestTurn, rememberTurn } from "../loading/earlier.ts";
import { askedOf, completed, differences, lastRan, pinned } from "../loading/effective.ts";
import { assertIdle, unlessHeldElsewhere } from "../loading/idle.ts";
import { announceNativeQueue, quietGoal } from "../loading/open.ts";
import { load, loaded, refuseWhileOpening } from "../loading/opening.ts";
import { refuseOwnFiles } from "../loading/ownfiles.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import type { ThreadFacts, ThreadSettings } from "../model/ports/thread.ts";
import { refusalOf } from "../model/refusal.ts";
import { freeHandle, slug } from "../state/handle.ts";
import { isEphemeral } from "../state/lane.ts";
import { laneRow } from "../state/lanerow.ts";

export interface Unmanaged {
  threads: ThreadFacts[];
  next_cursor: string | null;
}

/** Pages of Codex's own list with the managed ones left out, until there are `limit` or no more. */
export async function unmanaged(
  { agent, store }: CoreDeps,
  asked: { cursor: string | null; limit: number; archived: boolean },
): Promise<Unmanaged> {
  await agent.ready(limits.agentReadyWaitMs);
  const found: ThreadFacts[] = [];
  let cursor = asked.cursor;
  do {
    const page = await agent.listThreads({
      cursor,
      limit: Math.min(asked.limit - found.length, limits.codexPageMax),
      archived: asked.archived,
    });
    found.push(...page.threads.filter((thread) => store.lanes.findByThread(thread.id) === undefined));
    cursor = page.next_cursor;
  } while (cursor !== null && found.length < asked.limit);
  return { threads: found, next_cursor: cursor };
}

/** Reads metadata and nothing else; the app that writes the thread notices nothing. */
export async function attach(world: CoreDeps, threadId: string, by: string): Promise<Ref> {
  const { agent, store, journal, mint } = world;
  const known = store.lanes.findByThread(threadId);
  if (known) return known.ref;
  await agent.ready(limits.agentReadyWaitMs);
  const thread = await read(world, threadId);
  return journal.commit((change) => {
    const raced = store.lanes.findByThread(threadId);
    if (raced) return raced.ref;
    const lane = laneRow(store, mint, change.now, {
      title: thread.name ?? (thread.preview.trim().slice(0, limits.titleCharsMax).toWellFormed() || threadId),
      source: "attached",
      settings: { cwd: thread.cwd },
      // To attach is not to create: taken over later, it is still not the attacher's.
      created_by: null,
    });
    const durable = {
      thread_id: threadId,
      named_by_agent: isAgent(by),
      parent_id: thread.parent_id,
      setup: "ready" as const,
      durable_at: thread.created_at,
      rollout_path: thread.path,
    };
    store.lanes.add({ ...lane, ...durable, handle: null });
    change.append({
      kind: "thread.created",
      lane: lane.ref,
      data: {
        title: lane.title.slice(0, limits.previewCharsMax),
        thread_id: threadId,
        source: "attached",
        by,
      },
    });
    return lane.ref;
  });
}

async function read({ agent }: CoreDeps, threadId: string): Promise<ThreadFacts> {
  try {
    return await agent.readThread(threadId);
  } catch (thrown) {
    if (refusalOf(thrown) !== "no_rollout") throw thrown;
    fail("not_found", `Codex has no thread ${threadId}`, {
      hint: "dispatch list --unmanaged",
      cause: thrown,
    });
  }
}

/** A resume is what takes Codex's writer lock; from then on dispatch alone writes the thread. */
export async function take(world: CoreDeps, ref: Ref, mayWriteHome = false): Promise<void> {
  await world.agent.ready(limits.agentReadyWaitMs);
  await world.locked(ref, () => taken(world, ref, mayWriteHome));
}

async function taken(world: CoreDeps, ref: Ref, mayWriteHome: boolean): Promise<void> {
  const { agent, store, journal, live } = world;
  const lane = store.lanes.get(ref);
  if (lane.source === "own") return;
  const threadId = lane.thread_id!;
  if (lane.parent_id !== null) {
    fail("authority", `${ref} is a sub-agent's thread: Codex takes no input for it`, {
      hint: `dispatch tail ${ref}`,
    });
  }
  refuseWhileOpening(world, ref);
  const quieted = await quietGoal(world, lane, threadId);
  await announceNativeQueue(world, lane, threadId);
  const before = await completed(world, lane);
  const settings = before
    ? pinned({ ...lane, effective: before })
    : { ...lane.settings, ...(await lastSettings(world, lane)) };
  const call = () => agent.resumeThread(threadId, settings);
  const late = () => taken(world, ref, mayWriteHome);
  const opened = await load(world, ref, { call, late, isDurable: false }).catch(async (thrown: unknown) => {
    // Their goal was theirs to run.
    if (quieted && !live.openings.has(ref)) await agent.setGoal(threadId, { status: "active" });
    return unlessHeldElsewhere(thrown, ref);
  });
  try {
    refuseOwnFiles(world, opened.effective, mayWriteHome);
    const differing = differences(before ?? askedOf(settings), opened.effective);
    if (differing.length > 0)
      fail("conflict", `Codex opened thread ${ref} with other settings (${differing.join(", ")})`, {
        hint: `dispatch fork ${ref} --name NAME, with the settings it should have`,
      });
  } catch (thrown) {
    await agent.unsubscribe(threadId);
    if (quieted) await agent.setGoal(threadId, { status: "active" });
    throw thrown;
  }
  const newest = await newestTurn(world, threadId);
  loaded(world, opened, { isNew: false, floor: newest?.id ?? null });
  journal.commit((change) => {
    rememberTurn(world, change, lane, newest);
    const handle = slug(lane.title);
    store.lanes.set(ref, {
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
    change.append({ kind: "thread.taken", lane: ref });
  });
}

/**
 * What a thread that was never ours is taken over with: as its newest turn ran. A resume that names nothing would let
 * Codex's configuration of today decide. Where no turn tells it, it does.
 */
async function lastSettings(world: CoreDeps, lane: Lane): Promise<Partial<ThreadSettings>> {
  const ran = await lastRan(world, lane);
  if (!ran) return {};
  const { sandbox, approval_policy, details, approval_details } = ran;
  return {
    sandbox,
    approval_policy,
    ...(details ? { sandbox_details: details } : {}),
    ...(approval_details ? { approval_details } : {}),
  };
}

/** Returns when the writer lock is free, so that another app can open the thread at once. */
export async function give(world: CoreDeps, ref: Ref): Promise<void> {
  const { store, journal } = world;
  await world.locked(ref, async () => {
    const lane = await assertIdle(world, ref, "giving it away", true);
    if (lane.source === "attached") return;
    refuseEphemeral(lane, "given away");
    await autoReleaseHold(world, lane);
    journal.commit((change) => {
      store.lanes.set(ref, {
        source: "attached",
        handle: null,
        hold_reason: null,
        blocked_reason: null,
        updated_at: change.now,
      });
      change.append({ kind: "thread.given", lane: ref });
    });
  });
}

/** For a person who opens it in a terminal: still ours, but not loaded. */
export async function unload(world: CoreDeps, ref: Ref): Promise<string> {
  return world.locked(ref, async () => {
    const lane = await assertIdle(world, ref, "unloading");
    if (lane.thread_id === null)
      fail("conflict", `thread ${ref} has no Codex thread yet`, { hint: `dispatch get ${ref}` });
    refuseEphemeral(lane, "opened elsewhere");
    await autoReleaseHold(world, lane);
    return lane.thread_id;
  });
}

function refuseEphemeral(lane: Lane, what: string): void {
  if (isEphemeral(lane))
    fail("conflict", `thread ${lane.ref} is ephemeral: it would end by being ${what}`, {
      hint: `dispatch tail ${lane.ref}`,
    });
}

async function autoReleaseHold({ agent, live, clock }: CoreDeps, { ref, thread_id }: Lane): Promise<void> {
  if (thread_id === null || live.epoch() === null) return;
  await agent.unsubscribe(thread_id);
  // Whatever comes of the wait: from here on it is not heard, so it is not open here.
  live.drop(thread_id);
  const until = clock.monotonic() + limits.unloadWaitMs;
  while ((await agent.readThread(thread_id)).status !== "not_loaded") {
    if (clock.monotonic() >= until)
      fail("timeout", `Codex has not let go of ${ref} after ${limits.unloadWaitMs / 1000} s`, {
        hint: `dispatch get ${ref}`,
      });
    await clock.sleep(limits.unloadLookEveryMs);
  }
}
