/**
 * A call that makes Codex load a thread is answered when the required MCP servers are up, however long they take (facts
 * F34). So the call outlives the wait of its caller. While it is under way, no other call is made for that thread. A
 * late answer is used, or undone when the thread is no longer wanted.
 */

import { iso } from "../../base/clock.ts";
import { errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import { isOverdue, type Opening } from "../model/live.ts";
import type { Ref } from "../model/ports/rows.ts";
import type { ThreadOpened } from "../model/ports/thread.ts";

export interface Load {
  call(): Promise<ThreadOpened>;
  /** Does with a late answer what the caller would have done, under the lane's lock; gets the answer through `load`. */
  late(): Promise<unknown>;
  /** Called after an unwanted answer, when its thread is unloaded. Never throws. */
  undone?(): Promise<void>;
  /** The call creates a thread that outlives Codex even without a name. */
  isDurable: boolean;
}

/** Under the lane's lock. Throws `timeout` while Codex has not answered; the next call gets the answer. */
export async function load(deps: CoreDeps, ref: Ref, how: Load): Promise<ThreadOpened> {
  const { live } = deps;
  refuseWhileOpening(deps, ref);
  const opening = live.openings.get(ref) ?? begin(deps, ref, how.call);
  if (!opening.isOver && !(await isOverSoon(deps, opening))) {
    settleLater(deps, ref, opening, how);
    refuseWhileOpening(deps, ref);
  }
  if (live.openings.get(ref) === opening) live.openings.delete(ref);
  return opening.answer;
}

/** Throws `timeout` while such a call is under way; nothing else was sent to Codex. */
export function refuseWhileOpening({ live, clock }: CoreDeps, ref: Ref): void {
  const opening = live.openings.get(ref);
  if (!opening || opening.isOver) return;
  fail("timeout", `Codex has been opening thread ${ref} since ${iso(opening.since)}`, {
    hint: isOverdue(opening, clock)
      ? "most often a required MCP server does not start: correct that, then dispatch down --force and dispatch up"
      : "most often it waits for required MCP servers; dispatch get shows when it is done",
    data: { outcome: "not_sent" },
  });
}

function begin({ live, clock }: CoreDeps, ref: Ref, call: Load["call"]): Opening {
  const answer = call();
  const end = () => {
    opening.isOver = true;
  };
  const times = { since: clock.now(), begun: clock.monotonic() };
  const opening: Opening = { answer, over: answer.then(end, end), isOver: false, ...times };
  live.openings.set(ref, opening);
  return opening;
}

async function isOverSoon({ clock }: CoreDeps, opening: Opening): Promise<boolean> {
  const { promise: late, resolve: expire } = Promise.withResolvers<void>();
  const cancel = clock.after(limits.thread.openWaitMs, expire);
  await Promise.race([opening.over, late]);
  cancel();
  return opening.isOver;
}

function settleLater(deps: CoreDeps, ref: Ref, opening: Opening, how: Load): void {
  const { store, live, blame, log } = deps;
  const source = store.lanes.find(ref)?.source;
  const isWanted = () => {
    const lane = store.lanes.find(ref);
    return lane?.source === source && lane?.archived_at === null && lane.gone_at === null;
  };
  const settle = async () => {
    if (live.openings.get(ref) !== opening) return;
    try {
      if (isWanted()) await how.late();
    } finally {
      if (live.openings.get(ref) === opening) {
        live.openings.delete(ref);
        try {
          const answer = await opening.answer;
          await undo(deps, answer.thread.id, how.isDurable);
        } finally {
          await how.undone?.();
        }
      }
    }
  };
  opening.over
    .then(() => {
      if (live.openings.get(ref) === opening) blame.opening.delete(ref);
      return deps.locked(ref, settle);
    })
    .catch((thrown: unknown) =>
      log.warn("a thread could not be opened", { lane: ref, reason: errorMessage(thrown) }),
    );
}

/** Unloads a thread that Codex created and no row needs, and deletes it if it is on disk. Never throws. */
export async function undo(
  { agent, store, live, log }: CoreDeps,
  threadId: string,
  isDurable: boolean,
): Promise<void> {
  live.drop(threadId);
  try {
    await agent.unsubscribe(threadId);
    // Checked only now: it may have been attached meanwhile.
    if (isDurable && !store.lanes.findByThread(threadId)) await agent.deleteThread(threadId);
  } catch (thrown) {
    log.warn("a thread that nobody wants is left in Codex", {
      thread: threadId,
      reason: errorMessage(thrown),
    });
  }
}

/** A resume may start work by itself (facts T10), so the status in its answer is no fresh proof of idle. */
export function markLoaded(
  { live, clock }: CoreDeps,
  opened: ThreadOpened,
  how: { isNew: boolean; floor: string | null },
): void {
  const { id, status } = opened.thread;
  const known = live.get(id);
  const at = known?.at ?? (how.isNew ? clock.monotonic() : 0);
  live.set(id, { status: known?.status ?? status, at, floor: how.floor });
}

/**
 * Reads what else has to be known of a thread that counts as loaded. When that fails, it no longer counts as loaded, so
 * that the next call opens it again.
 */
export async function finishLoading<T>(
  { live }: CoreDeps,
  threadId: string,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    live.drop(threadId);
    throw thrown;
  }
}
