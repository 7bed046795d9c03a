/** Waits on the event log until lanes, or receipts, are in a condition. What already holds answers at once. */

import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Condition, Verdict } from "../../contract/words.ts";
import type { CoreDeps } from "../model/deps.ts";
import { isTerminal } from "../model/message.ts";
import type { LaneFacts, Message, Ref, Turn } from "../model/ports/rows.ts";
import { holds, isStopped, markTurn, needsAnswer, type TurnMark, verdictOf, worst } from "./condition.ts";

export type Target = { ref: Ref; receipt?: string };

export interface WaitFor {
  targets: readonly Target[];
  condition: Condition;
  any: boolean;
  timeoutMs: number | null;
  signal: AbortSignal;
  /** Told of who is still waited for, when that changes and once in a while: for progress. */
  progress?(waiting: Ref[]): Promise<void>;
}

export interface Waited {
  verdict: Verdict;
  timed_out: boolean;
}

/** Throws `agent_down` when what is asked cannot be told: a turn cut by a dead Codex that does not come back. */
export async function wait(deps: CoreDeps, asked: WaitFor): Promise<Waited> {
  const { store, journal, clock } = deps;
  const over = new AbortController();
  const end = () => over.abort();
  const cancel = asked.timeoutMs === null ? () => {} : clock.after(asked.timeoutMs, end);
  asked.signal.addEventListener("abort", end, { once: true });
  const marks = new Map<Ref, TurnMark>();
  const verdicts = new Map<Target, Verdict | undefined>();
  let isDue: (ref: Ref) => boolean = () => true;
  let told: number | undefined;
  try {
    for (;;) {
      const seq = store.log.last();
      for (const target of asked.targets)
        if (isDue(target.ref)) verdicts.set(target, look(deps, asked.condition, target, marks));
      const verdict = await answer(deps, asked, verdicts);
      if (verdict !== undefined) return { verdict, timed_out: false };
      // Cancelled, or the daemon stops: that is no time that ran out.
      asked.signal.throwIfAborted();
      if (over.signal.aborted) return { verdict: "timeout", timed_out: true };
      const open = asked.targets.filter((one) => verdicts.get(one) === undefined);
      if (open.length !== told) await asked.progress?.(open.map(({ ref }) => ref));
      told = open.length;
      const again = new AbortController();
      const tick = clock.after(limits.loop.waitLookEveryMs, () => again.abort());
      await journal.grown(seq, AbortSignal.any([over.signal, again.signal]));
      tick();
      // Many wait for many threads: each event is looked into for the thread that it tells of.
      const touched = new Set(store.events.lanesSince(seq));
      isDue = again.signal.aborted || touched.has(null) ? () => true : (ref) => touched.has(ref);
      if (again.signal.aborted) told = undefined;
    }
  } finally {
    cancel();
    asked.signal.removeEventListener("abort", end);
  }
}

/** The verdict of the whole wait, once there is one. */
async function answer(
  deps: CoreDeps,
  { any, condition }: WaitFor,
  verdicts: Map<Target, Verdict | undefined>,
): Promise<Verdict | undefined> {
  const held = [...verdicts].filter((one): one is [Target, Verdict] => one[1] !== undefined);
  const all = held.map(([, verdict]) => verdict);
  // A question ends the wait for all: nobody else will answer it while we stand here.
  if (all.includes("needs_answer")) return worst(all);
  if (any ? held.length === 0 : held.length < verdicts.size) return undefined;
  // What is over stays over: only that nothing runs can be untrue by now.
  if (condition !== "done" && condition !== "idle") return worst(all);
  // Asked last: one that is awaited for long would else be read in Codex at each event of the others.
  const confirmed = await Promise.all(
    held.map(async ([target]) => (await isConfirmed(deps, target)) && target),
  );
  const sure = confirmed.filter((target) => target !== false);
  if (any ? sure.length === 0 : sure.length < held.length) return undefined;
  return worst(
    sure.map((target) =>
      target.receipt === undefined
        ? verdicts.get(target) === "blocked"
          ? "blocked"
          : verdictOf(condition, deps.store.lanes.getFacts(target.ref), null)
        : verdicts.get(target)!,
    ),
  );
}

/** By the registry: the verdict once the condition holds, else undefined. */
function look(
  deps: CoreDeps,
  condition: Condition,
  target: Target,
  marks: Map<Ref, TurnMark>,
): Verdict | undefined {
  if (target.receipt !== undefined) return receiptVerdict(deps, target.receipt);
  const facts = deps.store.lanes.getFacts(target.ref);
  const mark = marks.get(target.ref) ?? markTurn(facts);
  marks.set(target.ref, mark);
  refuseUntellable(deps, facts);
  if (needsAnswer(condition, facts)) return "needs_answer";
  const turn = markedTurn(deps, target.ref, mark);
  if (isStopped(condition, facts, deps.live.blocked.has(target.ref))) return "blocked";
  return holdsNow(deps, condition, facts, turn) ? verdictOf(condition, facts, turn) : undefined;
}

/** By the registry and what the running Codex reported. `turn`: the one that condition `turn` is about. */
export function holdsNow(
  deps: CoreDeps,
  condition: Condition,
  facts: LaneFacts,
  turn: Turn | null = null,
): boolean {
  const { ref, thread_id } = facts.lane;
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

/** One live read, where the thread is loaded: the registry may not have heard yet of a turn that just began. */
export async function isConfirmed(
  { store, agent, live }: CoreDeps,
  { ref, receipt }: Target,
): Promise<boolean> {
  if (receipt !== undefined) return true;
  const threadId = store.lanes.find(ref)?.thread_id ?? null;
  if (threadId === null || !live.get(threadId)) return true;
  const { status } = await agent.readThread(threadId);
  return status !== "active";
}

function receiptVerdict({ store, live }: CoreDeps, id: string): Verdict | undefined {
  const message: Message = store.messages.get(id);
  if (message.state === "unsure") return "unsure";
  if (store.requests.listOpen({ lane: message.lane }).length > 0 && message.state === "delivered")
    return "needs_answer";
  if (message.state !== "delivered" && !isTerminal(message.state) && live.blocked.has(message.lane))
    return "blocked";
  if (!isTerminal(message.state)) return undefined;
  // Context has no outcome, and one settled by hand has none that is known: neither is a failure.
  const isGood =
    message.state === "done" && message.outcome !== "failed" && message.outcome !== "interrupted";
  return isGood ? "ok" : "turn_failed";
}

/** A turn of a dead child is settled by reading it; with no Codex to read, silence would be a lie. */
function refuseUntellable({ agent, live }: CoreDeps, { lane, latest }: LaneFacts): void {
  if (latest?.status !== "in_progress" || live.epoch() !== null) return;
  const status = agent.status();
  if (status.state !== "degraded") return;
  fail(
    "agent_down",
    `Codex is down, so how the turn of ${lane.ref} ended cannot be told: ${status.last_error?.message ?? "no reason known"}`,
    {
      hint: "dispatch daemon status",
    },
  );
}
