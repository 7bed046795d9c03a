/** Changes to a thread's history: fork, revert, compaction. Refused while a turn runs. */

import { sha256 } from "../../base/digest.ts";
import { errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Ruling } from "../../contract/words.ts";
import { resumeSettings } from "../loading/effective.ts";
import { assertIdle } from "../loading/idle.ts";
import { markOf, withdraw } from "../loading/newthread.ts";
import { open, openNew } from "../loading/open.ts";
import { refuseOwnFiles } from "../loading/ownfiles.ts";
import type { Values } from "../model/config.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Agent } from "../model/ports/agent.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import type { ThreadOpened, TurnFacts } from "../model/ports/thread.ts";
import { isUnknown } from "../model/refusal.ts";
import { until } from "../model/until.ts";
import { noteBlock } from "../state/blocked.ts";
import { refuseFolder } from "../state/folder.ts";
import { handleFor } from "../state/handle.ts";
import { laneRow } from "../state/lanerow.ts";
import { noteAnswer } from "../state/lastmessage.ts";
import { refuseUnwritable } from "../state/writable.ts";
import { limitToAgent } from "./agents.ts";
import { createdByKey, refuseName } from "./create.ts";
import { settingsOver } from "./settings.ts";

export interface Fork {
  name: string;
  last_turn: string | null;
  /** Over the source's own settings. */
  flags: Values;
  /** Null or left out: the source's own. */
  cwd?: string | null;
  /** Null: the source's own. */
  requests: Ruling | null;
  key: string | null;
  created_by: string;
  /** As for `new`. */
  agent?: string | null;
}

export async function fork(deps: CoreDeps, ref: Ref, draft: Fork): Promise<Ref> {
  const { store, agent, journal, mint } = deps;
  const { name, last_turn: last_turn_id, requests } = draft;
  const content = [
    "fork",
    ref,
    name,
    last_turn_id,
    draft.flags,
    ...(requests === null ? [] : [requests]),
    ...(draft.cwd ? [{ cwd: draft.cwd }] : []),
  ];
  const digest = sha256(JSON.stringify(content));
  const known = createdByKey(store, draft.key, digest);
  if (known && (await isMade(deps, known))) return known.ref;
  refuseName(store, draft.name);
  await agent.ready(limits.codex.readyWaitMs);
  return deps.locked(ref, async () => {
    const source = await assertIdle(deps, ref, "forking");
    const sourceId =
      source.thread_id ??
      fail("conflict", `thread ${ref} has no Codex thread yet`, { hint: `dispatch get ${ref}` });
    const { cwd = null } = draft;
    const over = settingsOver(resumeSettings(source), draft.flags);
    const requested = cwd === null ? over : { ...over, cwd };
    refuseFolder(deps, requested.cwd, `dispatch fork ${ref} --name NAME --cwd DIR`);
    const policy = requests ?? source.requests;
    const { settings } = await limitToAgent(deps, {
      settings: requested,
      requests: policy,
      agent: draft.agent ?? null,
    });
    refuseOwnFiles(deps, settings, settings.may_write_home);
    // Checked once more: the wait for the lock may have been long.
    const raced = createdByKey(store, draft.key, digest);
    if (raced) return raced.ref;
    // The row comes first: whatever becomes of us, what Codex makes is found by it.
    const lane = journal.commit((change) => {
      const row: Lane = {
        ...laneRow(store, mint, change.now, {
          title: name,
          source: "own",
          settings,
          created_by: draft.created_by,
        }),
        // If the handle was taken meanwhile, the fork gets the next free one.
        handle: handleFor(store, name),
        named_by_agent: draft.agent != null,
        requests: policy,
        create_key: draft.key,
        create_digest: draft.key === null ? null : digest,
        cause_id: ref,
      };
      store.lanes.add(row);
      change.append({
        kind: "thread.forked",
        lane: row.ref,
        data: { title: name.slice(0, limits.thread.previewCharsMax), fork_of: ref, by: draft.created_by },
      });
      return row;
    });
    await make(deps, lane, () => agent.forkThread(sourceId, { settings, last_turn_id, mark: markOf(lane) }));
    return lane.ref;
  });
}

/**
 * A fork has the history of its source at this moment, so it is created now or never: a fork that was not created
 * leaves no lane. One that Codex still works on, or has not named yet, counts as created: the loops continue it.
 */
async function make(deps: CoreDeps, { ref }: Lane, call: () => Promise<ThreadOpened>): Promise<void> {
  const { store, live, log } = deps;
  await deps.locked(ref, async () => {
    try {
      await openNew(deps, ref, call);
    } catch (thrown) {
      const isMade = (store.lanes.find(ref)?.thread_id ?? null) !== null;
      if (isMade || live.openings.has(ref)) {
        noteBlock(deps, ref, thrown);
        log.warn("a fork is not ready yet", { lane: ref, reason: errorMessage(thrown) });
        return;
      }
      if (isUnknown(thrown)) await findOut(deps, ref, thrown);
      else {
        withdraw(deps, ref, thrown);
        throw thrown;
      }
    }
  });
}

/** The fork may have been created by a Codex that ended before its answer. */
async function findOut(deps: CoreDeps, ref: Ref, thrown: unknown): Promise<void> {
  try {
    await open(deps, ref);
  } catch (again) {
    throw deps.store.lanes.find(ref) ? thrown : again;
  }
}

/** For a key that was used before: whether its fork was created; looks for it in Codex if needed. */
async function isMade(deps: CoreDeps, { ref, thread_id }: Lane): Promise<boolean> {
  if (thread_id !== null) return true;
  try {
    await deps.locked(ref, () => open(deps, ref));
  } catch (thrown) {
    if (deps.store.lanes.find(ref)) throw thrown;
  }
  return deps.store.lanes.find(ref) !== undefined;
}

/** Removes the last turns from the history; files stay as they are. */
export async function revert(deps: CoreDeps, ref: Ref, turns: number): Promise<void> {
  const { store, agent, journal, live } = deps;
  refuseUnwritable(store.lanes.get(ref));
  await deps.locked(ref, async () => {
    refuseUnwritable(await assertIdle(deps, ref, "reverting"));
    const { lane } = await open(deps, ref);
    const newest = await newestTurns(agent, lane.thread_id, turns);
    const before = newest[turns - 1];
    if (!before)
      fail("usage", `thread ${ref} has only ${newest.length} turns`, { hint: `dispatch tail ${ref}` });
    await agent.revertThread(lane.thread_id, before.id);
    const [facts, left] = await Promise.all([
      agent.readThread(lane.thread_id),
      agent.listTurns(lane.thread_id, { cursor: null, limit: 1 }),
    ]);
    journal.commit((change) => {
      store.turns.dropFrom(ref, before.id);
      store.lanes.set(ref, {
        rollout_path: facts.path,
        last_message: null,
        updated_at: change.now,
        evidence_at: change.now,
      });
      const last = left.turns[0];
      if (last) noteAnswer(deps, lane, last.items, last.id, change.now);
      change.append({ kind: "thread.reverted", lane: ref, turn_id: before.id, data: { turns } });
    });
    const liveThread = live.get(lane.thread_id);
    if (liveThread) liveThread.floor = left.turns[0]?.id ?? null;
  });
}

/**
 * Up to `count` turns. More than one page may be needed: Codex limits a page, and the adapter halves one that is too
 * large.
 */
async function newestTurns(agent: Agent, threadId: string, count: number): Promise<TurnFacts[]> {
  const turns: TurnFacts[] = [];
  let cursor: string | null = null;
  do {
    const page = await agent.listTurns(threadId, { cursor, limit: count - turns.length });
    turns.push(...page.turns);
    cursor = page.next_cursor;
  } while (cursor !== null && turns.length < count);
  return turns;
}

/** Returns when its turn runs, so that a wait after it waits for that turn. */
export async function compact(deps: CoreDeps, ref: Ref): Promise<void> {
  const { store, agent } = deps;
  refuseUnwritable(store.lanes.get(ref));
  await deps.locked(ref, async () => {
    refuseUnwritable(await assertIdle(deps, ref, "compacting"));
    const { lane } = await open(deps, ref);
    const before = store.turns.latest(ref)?.turn_id;
    await agent.compactThread(lane.thread_id);
    await until(deps, limits.message.sendAnswerMs, () => store.turns.latest(ref)?.turn_id !== before);
  });
}
