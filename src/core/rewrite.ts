/** Control over a thread's history: a fork of it, a revert, a compaction. Refused while a turn runs. */
import { sha256 } from "../base/digest.ts";
import { fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { refuseUnwritable } from "./accept.ts";
import type { Values } from "./choices.ts";
import { createdByKey, refuseName } from "./create.ts";
import { newestTurn, rememberTurn } from "./earlier.ts";
import { pinned, refuseOtherThanAsked } from "./effective.ts";
import { handleFor } from "./handle.ts";
import { noteAnswer } from "./ingest.ts";
import { laneRow } from "./lanerow.ts";
import { leashed } from "./leash.ts";
import { loaded, open } from "./open.ts";
import { refuseOwnFiles } from "./ownfiles.ts";
import type { Ruling } from "./policy.ts";
import type { Agent } from "./ports/agent.ts";
import type { Ref } from "./ports/rows.ts";
import type { TurnFacts } from "./ports/thread.ts";
import { refuseUnlessQuiet } from "./quiet.ts";
import { settingsOver } from "./settings.ts";
import { until } from "./until.ts";
import type { World } from "./world.ts";

export interface Fork {
  name: string;
  last_turn: string | null;
  /** On top of the source's own. */
  flags: Values;
  /** Null or left out: the source's own. */
  cwd?: string | null;
  /** Null: the source's own. */
  requests: Ruling | null;
  key: string | null;
  created_by: string;
  /** As of `new`. */
  agent?: string | null;
}

export async function fork(world: World, ref: Ref, draft: Fork): Promise<Ref> {
  const { store, agent, journal, mint } = world;
  const { name, last_turn, requests } = draft;
  const content = [
    "fork",
    ref,
    name,
    last_turn,
    draft.flags,
    ...(requests === null ? [] : [requests]),
    ...(draft.cwd ? [{ cwd: draft.cwd }] : []),
  ];
  const digest = sha256(JSON.stringify(content));
  const known = createdByKey(store, draft.key, digest);
  if (known) return known.ref;
  refuseName(store, draft.name);
  await agent.ready(limits.agentReadyWaitMs);
  const made = await world.locked(ref, async () => {
    const source = await refuseUnlessQuiet(world, ref, "forking");
    if (source.thread_id === null)
      fail("conflict", `thread ${ref} has no Codex thread yet`, { hint: `dispatch get ${ref}` });
    const { cwd = null } = draft;
    const over = settingsOver(pinned(source), draft.flags);
    const asked = cwd === null ? over : { ...over, cwd };
    if (!world.files.isDirectory(asked.cwd))
      fail("usage", `${asked.cwd} is no directory`, { hint: `dispatch fork ${ref} --name NAME --cwd DIR` });
    const policy = requests ?? source.requests;
    const { settings } = await leashed(world, {
      settings: asked,
      requests: policy,
      agent: draft.agent ?? null,
    });
    refuseOwnFiles(world, settings, settings.may_write_home);
    const opened = await agent.forkThread(source.thread_id, { settings, last_turn_id: draft.last_turn });
    try {
      // Of a sandbox of another kind than its source's, Codex's configuration decided the folders.
      refuseOwnFiles(world, opened.effective, settings.may_write_home);
      refuseOtherThanAsked({ settings, created_by: draft.created_by, effective: null }, opened.effective);
    } catch (thrown) {
      await agent.unsubscribe(opened.thread.id);
      await agent.archiveThread(opened.thread.id);
      throw thrown;
    }
    return journal.commit((change) => {
      const lane = laneRow(store, mint, change.now, {
        title: draft.name,
        source: "own",
        settings,
        created_by: draft.created_by,
      });
      store.lanes.add({
        ...lane,
        thread_id: opened.thread.id,
        setup: "started",
        // Taken meanwhile: the fork is made, so it gets the next free one rather than none.
        handle: handleFor(store, draft.name),
        cwd: opened.effective.cwd,
        effective: opened.effective,
        rollout_path: opened.thread.path,
        named_by_agent: draft.agent != null,
        requests: policy,
        create_key: draft.key,
        create_digest: draft.key === null ? null : digest,
        cause_id: ref,
      });
      change.append({
        kind: "lane.created",
        lane: lane.ref,
        data: { title: draft.name.slice(0, limits.previewCharsMax), fork_of: ref, by: draft.created_by },
      });
      change.after(() => loaded(world, opened, { isNew: true, floor: draft.last_turn }));
      return lane.ref;
    });
  });
  // Its name, which also tells it from its source; a crash before is continued when it is first needed.
  await world.locked(made, async () => {
    const { lane } = await open(world, made);
    const newest = await newestTurn(world, lane.thread_id);
    journal.note((change) => rememberTurn(world, change, lane, newest));
  });
  return made;
}

/** Drops the last turns from the history; files stay as they are. Answers how many. */
export async function revert(world: World, ref: Ref, turns: number): Promise<void> {
  const { store, agent, journal, live } = world;
  refuseUnwritable(store.lanes.get(ref)!);
  await world.locked(ref, async () => {
    refuseUnwritable(await refuseUnlessQuiet(world, ref, "reverting"));
    const { lane } = await open(world, ref);
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
      if (last) noteAnswer(world, lane, last.items, last.id, change.now);
      change.append({ kind: "lane.changed", lane: ref, turn_id: before.id, data: { reverted: turns } });
    });
    const here = live.get(lane.thread_id);
    if (here) here.floor = left.turns[0]?.id ?? null;
  });
}

/** At least so many, where there are: Codex clamps a page, and the adapter halves one that is too large. */
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

/** Returns when its turn is seen to run, so that a wait that follows waits for it. */
export async function compact(world: World, ref: Ref): Promise<void> {
  const { store, agent } = world;
  refuseUnwritable(store.lanes.get(ref)!);
  await world.locked(ref, async () => {
    refuseUnwritable(await refuseUnlessQuiet(world, ref, "compacting"));
    const { lane } = await open(world, ref);
    const before = store.turns.latest(ref)?.turn_id;
    await agent.compactThread(lane.thread_id);
    await until(world, limits.sendAnswerMs, () => store.turns.latest(ref)?.turn_id !== before);
  });
}
