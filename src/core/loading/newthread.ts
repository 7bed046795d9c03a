/** A lane without a thread gets one: a new one, or a copy of another's. Under the lane's lock. */
import { DispatchError, errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import type { ThreadOpened } from "../model/ports/thread.ts";
import { isUnanswered, refusalOf } from "../model/refusal.ts";
import { endQueued } from "../state/settle.ts";
import { newestTurn, rememberTurn } from "./earlier.ts";
import { pinned, refuseOtherThanAsked } from "./effective.ts";
import { type Load, load, loaded, loadedIf, undo } from "./opening.ts";
import { refuseOwnFiles } from "./ownfiles.ts";

/** Until its name is answered the thread leaves no file and dies with the child: making it again orphans nothing. */
export async function startThread(deps: CoreDeps, lane: Lane, late: Load["late"]): Promise<void> {
  const call = () => deps.agent.startThread(pinned(lane));
  const opened = await load(deps, lane.ref, { call, late, isDurable: false });
  await keep(deps, lane, opened, false);
}

/** A fork is on disk before its answer is here: `mark` finds one whose answer was lost. */
export const markOf = ({ ref, created_at }: Lane): string => `${ref}.${created_at}`;

export const isFork = (lane: Lane): boolean => lane.cause_id !== null;

/** `ask` makes it, once. Without it, what an earlier call made is looked for, and the lane withdrawn where that made none. */
export async function forkThread(
  deps: CoreDeps,
  lane: Lane,
  late: Load["late"],
  ask?: () => Promise<ThreadOpened>,
): Promise<void> {
  const call = () => (ask ? asked(deps, lane, ask) : resumeMade(deps, lane));
  const opened = await load(deps, lane.ref, { call, late, isDurable: true });
  await keep(deps, lane, opened, true);
  deps.live.unansweredForks.delete(markOf(lane));
  await loadedIf(deps, opened.thread.id, async () => {
    const newest = await newestTurn(deps, opened.thread.id);
    const here = deps.live.get(opened.thread.id);
    if (here) here.floor = newest?.id ?? null;
    deps.journal.note((change) => rememberTurn(deps, change, lane, newest));
  });
}

/** A refusal ends the lane with its own words, however late it comes. */
async function asked(deps: CoreDeps, lane: Lane, ask: () => Promise<ThreadOpened>): Promise<ThreadOpened> {
  try {
    return await ask();
  } catch (thrown) {
    if (refusalOf(thrown) !== undefined) withdraw(deps, lane.ref, thrown);
    if (isUnanswered(thrown)) deps.live.unansweredForks.set(markOf(lane), lane.ref);
    throw thrown;
  }
}

async function resumeMade(deps: CoreDeps, lane: Lane): Promise<ThreadOpened> {
  const threadId = await findMade(deps, lane);
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

/** Null: it is not there. Throws `conflict` where too many threads were made that day to say so. */
async function findMade({ agent, store }: CoreDeps, lane: Lane): Promise<string | null> {
  const strange = (await agent.threadsOfDay(lane.created_at)).filter((id) => !store.lanes.findByThread(id));
  const distance = (id: string) => Math.abs(madeAt(id) - lane.created_at);
  const nearest = strange.toSorted((one, other) => distance(one) - distance(other));
  for (const id of nearest.slice(0, limits.wire.forkCandidatesMax)) {
    const thread = await agent.readThread(id).catch((thrown: unknown) => {
      // Half a file, which a kill left behind, is no thread.
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

/** The ids of Codex begin with the ms since the epoch (UUIDv7). */
function madeAt(threadId: string): number {
  return Number.parseInt(threadId.replace("-", "").slice(0, 12), 16);
}

/** Stores what Codex made, and undoes what is not as it was asked for. */
async function keep(deps: CoreDeps, lane: Lane, opened: ThreadOpened, isDurable: boolean): Promise<void> {
  const { store, journal } = deps;
  try {
    if (!store.lanes.find(lane.ref))
      fail("not_found", `thread ${lane.ref} was forgotten`, { hint: "dispatch list" });
    // What was not asked for, Codex's own configuration decided.
    refuseOwnFiles(deps, opened.effective, lane.settings.may_write_home);
    refuseOtherThanAsked(lane, opened.effective);
    journal.commit((change) => {
      store.lanes.set(lane.ref, {
        thread_id: opened.thread.id,
        setup: "started",
        // Made again, it keeps what it once had.
        effective: { ...opened.effective, ...lane.effective },
        rollout_path: opened.thread.path,
        evidence_at: change.now,
      });
    });
  } catch (thrown) {
    await undo(deps, opened.thread.id, isDurable);
    throw thrown;
  }
  loaded(deps, opened, { isNew: true, floor: null });
}

/** Nothing was made for it, and nothing will be. */
export function withdraw({ store, journal, live }: CoreDeps, ref: Ref, thrown: unknown): void {
  if (!store.lanes.find(ref)) return;
  const why = errorMessage(thrown);
  journal.commit((change) => {
    endQueued(store, change, ref, {
      code: thrown instanceof DispatchError ? thrown.code : "internal",
      message: why,
    });
    // Its key is free again: the same command, corrected, may use it.
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
