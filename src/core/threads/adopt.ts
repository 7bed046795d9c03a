/** Threads of other apps: finds them, attaches them without a change, gives them back. */
import { isAgent } from "../../base/agentid.ts";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { assertIdle, refuseAgents } from "../loading/idle.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import type { ThreadFacts } from "../model/ports/thread.ts";
import { refusalOf } from "../model/refusal.ts";
import { isEphemeral } from "../state/lane.ts";
import { laneRow } from "../state/lanerow.ts";
import { unloadAndWait } from "./take.ts";

export interface Unmanaged {
  threads: ThreadFacts[];
  next_cursor: string | null;
}

/** Reads pages of Codex's own list, without the managed threads, until there are `limit` or no more. */
export async function unmanaged(
  { agent, store }: CoreDeps,
  query: { cursor: string | null; limit: number; archived: boolean },
): Promise<Unmanaged> {
  await agent.ready(limits.codex.readyWaitMs);
  const found: ThreadFacts[] = [];
  let cursor = query.cursor;
  do {
    const page = await agent.listThreads({
      cursor,
      limit: Math.min(query.limit - found.length, limits.wire.pageMax),
      archived: query.archived,
    });
    found.push(...page.threads.filter((thread) => store.lanes.findByThread(thread.id) === undefined));
    cursor = page.next_cursor;
  } while (cursor !== null && found.length < query.limit);
  return { threads: found, next_cursor: cursor };
}

/** Reads metadata only; the app that writes the thread notices nothing. */
export async function attach(deps: CoreDeps, threadId: string, by: string): Promise<Ref> {
  const { agent, store, journal, mint } = deps;
  const known = store.lanes.findByThread(threadId);
  if (known) return known.ref;
  await agent.ready(limits.codex.readyWaitMs);
  const thread = await read(deps, threadId);
  return journal.commit((change) => {
    const raced = store.lanes.findByThread(threadId);
    if (raced) return raced.ref;
    const lane = laneRow(store, mint, change.now, {
      title:
        thread.name ??
        (thread.preview.trim().slice(0, limits.input.titleCharsMax).toWellFormed() || threadId),
      source: "attached",
      settings: { cwd: thread.cwd },
      // An attached thread is not created by the caller, also when it is taken over later.
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
        title: lane.title.slice(0, limits.thread.previewCharsMax),
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

/** Returns when the writer lock is free, so that another app can open the thread at once. */
export async function give(deps: CoreDeps, ref: Ref): Promise<void> {
  const { store, journal } = deps;
  await deps.locked(ref, async () => {
    const lane = await assertIdle(deps, ref, "giving it away", true);
    if (lane.source === "attached") return;
    refuseEphemeral(lane, "given away");
    refuseAgents(deps, lane, "giving it away would lose their reports");
    await unloadAndWait(deps, lane);
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

/** For a person who opens it in a terminal: it stays ours, but is not loaded. */
export async function unload(deps: CoreDeps, ref: Ref): Promise<string> {
  return deps.locked(ref, async () => {
    const lane = await assertIdle(deps, ref, "unloading");
    if (lane.thread_id === null)
      fail("conflict", `thread ${ref} has no Codex thread yet`, { hint: `dispatch get ${ref}` });
    refuseEphemeral(lane, "opened elsewhere");
    refuseAgents(deps, lane, "opening it elsewhere would lose their reports");
    await unloadAndWait(deps, lane);
    return lane.thread_id;
  });
}

function refuseEphemeral(lane: Lane, what: string): void {
  if (isEphemeral(lane))
    fail("conflict", `thread ${lane.ref} is ephemeral: it would end by being ${what}`, {
      hint: `dispatch tail ${lane.ref}`,
    });
}
