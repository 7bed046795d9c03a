/**
 * Sub-agents of a thread that ended badly. Codex tells its model about them, if at all, in its next turn, so until then
 * the turn that is over is not a good end. All functions run inside an open transaction.
 */
import { limits } from "../../base/limits.ts";
import type { HoldReason } from "../../contract/words.ts";
import { clip } from "../model/clip.ts";
import type { Change } from "../model/journal.ts";
import type { Lane, Turn } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";
import { hold } from "./hold.ts";

const kind = "sub_agent";

/** Whether its sub-agents ended badly after it was over, or with it. */
export function hasBadAgents(turn: Turn | null): boolean {
  return turn?.error?.kind === kind;
}

/**
 * Those that worked in a child that ended. The log says which: the daemon that heard of them may have ended with the
 * child.
 */
export function cutAgents(store: Store, change: Change): void {
  for (const { lane: ref, working } of store.events.workingAgents()) {
    const lane = store.lanes.find(ref);
    if (lane?.source !== "own") continue;
    const why = `${wereAgents(working)} cut, because Codex ended`;
    endedBadly(store, change, lane, { working: 0, why, reason: "crashed" });
  }
}

/** `working`: how many others still work. */
export function agentFailed(
  store: Store,
  change: Change,
  lane: Lane,
  { agent, words, working }: { agent: string; words: string; working: number },
): void {
  const why = `sub-agent ${agent} failed: ${words}`;
  // A turn that runs is told of it by Codex, and its own end counts.
  if (store.turns.running(lane.ref).length === 0)
    endedBadly(store, change, lane, { working, why, reason: "failed" });
  else note(change, lane, working, { why, reason: "failed" });
}

/** A person ends them. */
export function agentsStopped(store: Store, change: Change, lane: Lane, working: number): void {
  const why = `${wereAgents(working)} stopped`;
  endedBadly(store, change, lane, { working, why, reason: "stopped" });
}

function wereAgents(count: number): string {
  return count === 1 ? "a sub-agent was" : `${count} sub-agents were`;
}

function endedBadly(
  store: Store,
  change: Change,
  lane: Lane,
  { working, why, reason }: { working: number; why: string; reason: HoldReason },
): void {
  note(change, lane, working, { why, reason });
  if (lane.source !== "own") return;
  const turn = store.turns.latest(lane.ref);
  if (turn && turn.error === null)
    store.turns.put({ ...turn, error: { kind, message: clip(why, limits.thread.turnErrorCharsMax) } });
  hold(store, change, lane.ref, reason);
}

function note(
  change: Change,
  lane: Lane,
  working: number,
  { why, reason }: { why: string; reason: HoldReason },
): void {
  const data = { working, why: clip(why, limits.event.textCharsMax), reason };
  change.append({ kind: "thread.agents", lane: lane.ref, data });
}
