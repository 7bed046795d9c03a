/**
 * Waits on the event log until lanes, or receipts, are in a condition. Returns at once when the condition already
 * holds.
 */

import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { type Condition, type Verdict, worst } from "../../contract/words.ts";
import type { CoreDeps } from "../model/deps.ts";
import { isTerminal } from "../model/message.ts";
import type { LaneFacts, Message, Ref, Turn } from "../model/ports/rows.ts";
import { hasBadAgents } from "../state/subagents.ts";
import { holds, isStopped, markTurn, needsAnswer, type TurnMark, verdictOf } from "./condition.ts";

/** `ref` is null for a message to another machine. */
export type WaitTarget = { ref: Ref; receipt?: string } | { ref: null; receipt: string };

export interface WaitRequest {
  targets: readonly WaitTarget[];
  condition: Condition;
  any: boolean;
  timeoutMs: number | null;
  signal: AbortSignal;
  /** Called with the lanes that are still open, when their number changes and once in a while. */
  progress?(waiting: string[]): Promise<void>;
}

export interface WaitResult {
  verdict: Verdict;
  timed_out: boolean;
}

/** Throws `agent_down` when the result cannot be known: the turn was cut by a dead Codex that does not come back. */
export async function wait(deps: CoreDeps, request: WaitRequest): Promise<WaitResult> {
  const { store, journal, clock } = deps;
  const over = new AbortController();
  const end = () => over.abort();
  const cancel = request.timeoutMs === null ? () => {} : clock.after(request.timeoutMs, end);
  request.signal.addEventListener("abort", end, { once: true });
  const marks = new Map<Ref, TurnMark>();
  const verdicts = new Map<WaitTarget, Verdict | undefined>();
  let isDue: (ref: Ref | null) => boolean = () => true;
  let reportedCount: number | undefined;
  try {
    for (;;) {
      const seq = store.log.last();
      for (const target of request.targets)
        if (isDue(target.ref)) verdicts.set(target, look(deps, request.condition, target, marks));
      const verdict = await finalVerdict(deps, request, verdicts);
      if (verdict !== undefined) return { verdict, timed_out: false };
      // Cancelled, or the daemon stops: this is no timeout.
      request.signal.throwIfAborted();
      if (over.signal.aborted) return { verdict: "timeout", timed_out: true };
      const open = request.targets.filter((target) => verdicts.get(target) === undefined);
      if (open.length !== reportedCount)
        await request.progress?.(open.map(({ ref, receipt }) => ref ?? receipt));
      reportedCount = open.length;
      const again = new AbortController();
      const tick = clock.after(limits.loop.waitLookEveryMs, () => again.abort());
      await journal.grown(seq, AbortSignal.any([over.signal, again.signal]));
      tick();
      // Many may wait for many threads, so an event makes the wait look at its own thread only.
      const touched = new Set(store.events.lanesSince(seq));
      isDue = again.signal.aborted || touched.has(null) ? () => true : (ref) => touched.has(ref);
      if (again.signal.aborted) reportedCount = undefined;
    }
  } finally {
    cancel();
    request.signal.removeEventListener("abort", end);
  }
}

/** The verdict of the whole wait, once there is one. */
async function finalVerdict(
  deps: CoreDeps,
  { any, condition }: WaitRequest,
  verdicts: Map<WaitTarget, Verdict | undefined>,
): Promise<Verdict | undefined> {
  const held = [...verdicts].filter((entry): entry is [WaitTarget, Verdict] => entry[1] !== undefined);
  const all = held.map(([, verdict]) => verdict);
  // A request ends the whole wait: the waiting caller may be the one who has to answer it.
  if (all.includes("needs_answer")) return worst(all);
  if (any ? held.length === 0 : held.length < verdicts.size) return undefined;
  // The end of a turn is final. Only `done` and `idle` may no longer be true.
  if (condition !== "done" && condition !== "idle") return worst(all);
  // Read last: otherwise each event of another thread would cause a read in Codex.
  const confirmed = await Promise.all(
    held.map(async ([target]) => (await isConfirmed(deps, target)) && target),
  );
  const sure = confirmed.filter((target) => target !== false);
  if (any ? sure.length === 0 : sure.length < held.length) return undefined;
  return worst(
    sure.map((target) =>
      target.ref === null || target.receipt !== undefined || verdicts.get(target) === "blocked"
        ? verdicts.get(target)!
        : verdictOf(condition, deps.store.lanes.getFacts(target.ref), null),
    ),
  );
}

/** From the registry: the verdict when the condition holds, else undefined. */
function look(
  deps: CoreDeps,
  condition: Condition,
  target: WaitTarget,
  marks: Map<Ref, TurnMark>,
): Verdict | undefined {
  if (target.ref === null) return relayedVerdict(deps, target.receipt);
  if (target.receipt !== undefined) return receiptVerdict(deps, target.receipt, condition);
  const facts = deps.store.lanes.getFacts(target.ref);
  const mark = marks.get(target.ref) ?? markTurn(facts);
  marks.set(target.ref, mark);
  refuseUnknowable(deps, facts);
  if (needsAnswer(condition, facts)) return "needs_answer";
  const turn = markedTurn(deps, target.ref, mark);
  if (isStopped(condition, facts, deps.live.blocked.has(target.ref))) return "blocked";
  return holdsNow(deps, condition, facts, turn) ? verdictOf(condition, facts, turn) : undefined;
}

/** From the registry and what the running Codex reported. `turn`: the turn that the condition `turn` is about. */
export function holdsNow(
  deps: CoreDeps,
  condition: Condition,
  facts: LaneFacts,
  turn: Turn | null = null,
): boolean {
  const { ref, thread_id } = facts.lane;
  if (condition === "done" && deps.live.goalStarts.has(thread_id ?? "")) return false;
  return holds(condition, facts, {
    turn,
    hasWorked: hasWorked(deps, facts),
    isBlocked: deps.live.blocked.has(ref),
    agents: deps.live.agents(thread_id).length,
    retryingMs: retryingMs(deps, thread_id),
  });
}

function markedTurn({ store }: CoreDeps, ref: Ref, mark: TurnMark): Turn | null {
  return (
    (mark.running === null ? store.turns.next(ref, mark.last) : store.turns.find(ref, mark.running)) ?? null
  );
}

function retryingMs({ live, clock }: CoreDeps, threadId: string | null): number {
  const since = threadId === null ? undefined : live.retrying.get(threadId);
  return since === undefined ? 0 : clock.monotonic() - since;
}

function hasWorked({ store }: CoreDeps, { lane, latest }: LaneFacts): boolean {
  return latest !== null || store.messages.first(lane.ref) !== undefined;
}

/** Reads the status from Codex when the thread is loaded: the registry may not have a turn yet that just began. */
export async function isConfirmed(
  { store, agent, live }: CoreDeps,
  { ref, receipt }: WaitTarget,
): Promise<boolean> {
  if (receipt !== undefined || ref === null) return true;
  const threadId = store.lanes.find(ref)?.thread_id ?? null;
  if (threadId === null || !live.get(threadId)) return true;
  const { status } = await agent.readThread(threadId);
  return status !== "active";
}

function receiptVerdict({ store, live }: CoreDeps, id: string, condition: Condition): Verdict | undefined {
  const message: Message = store.messages.get(id);
  if (message.state === "unsure") return "unsure";
  const latest = store.turns.latest(message.lane);
  const isLatest = message.state === "done" && latest !== undefined && latest.turn_id === message.turn_id;
  const agents = isLatest && condition === "done" ? live.agents(store.lanes.get(message.lane).thread_id) : [];
  const isAtWork = message.state === "delivered" || agents.length > 0;
  if (isAtWork && store.requests.listOpen({ lane: message.lane }).length > 0) return "needs_answer";
  if (agents.length > 0) return undefined;
  if (isLatest && condition === "done" && hasBadAgents(latest)) return "turn_failed";
  if (message.state !== "delivered" && !isTerminal(message.state) && live.blocked.has(message.lane))
    return "blocked";
  return isTerminal(message.state) ? endVerdict(message) : undefined;
}

/** By what the other machine reported last. */
function relayedVerdict({ store }: CoreDeps, id: string): Verdict | undefined {
  const row = store.relay.findRelayed(id);
  if (!row || row.state === "unsure") return "unsure";
  if (row.asks.length > 0) return "needs_answer";
  return isTerminal(row.state) ? endVerdict(row) : undefined;
}

// Context has no outcome, and a message settled by a person has none that is known: neither is a failure.
function endVerdict({ state, outcome }: Pick<Message, "state" | "outcome">): Verdict {
  if (state === "cancelled") return "cancelled";
  const isGood = state === "done" && outcome !== "failed" && outcome !== "interrupted";
  return isGood ? "ok" : "turn_failed";
}

/** A turn of a dead child is settled by reading it. Without a Codex the result cannot be known, so the wait fails. */
function refuseUnknowable({ agent, live }: CoreDeps, { lane, latest }: LaneFacts): void {
  if (latest?.status !== "in_progress" || live.epoch() !== null) return;
  const status = agent.status();
  if (status.state !== "degraded") return;
  fail(
    "agent_down",
    `Codex is down, so it is not known how the turn of ${lane.ref} ended: ${status.last_error?.message ?? "no reason known"}`,
    {
      hint: "dispatch daemon status",
    },
  );
}
