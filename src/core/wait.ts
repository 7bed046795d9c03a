/** Waits on the event log until lanes, or receipts, are in a condition. What already holds answers at once. */
import { fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import {
  type Condition,
  holds,
  markTurn,
  needsAnswer,
  type TurnMark,
  type Verdict,
  verdictOf,
  worst,
} from "./condition.ts";
import { isTerminal } from "./message.ts";
import type { LaneFacts, Message, Ref, Turn } from "./ports/rows.ts";
import type { World } from "./world.ts";

export type Target = { ref: Ref; receipt?: string };

export interface WaitFor {
  targets: readonly Target[];
  condition: Condition;
  any: boolean;
  timeoutMs: number | null;
  signal: AbortSignal;
  /** Told after each look: for progress. */
  progress?(waiting: Ref[]): Promise<void>;
}

export interface Waited {
  verdict: Verdict;
  timed_out: boolean;
}

/** Throws `agent_down` when what is asked cannot be told: a turn cut by a dead Codex that does not come back. */
export async function wait(world: World, asked: WaitFor): Promise<Waited> {
  const { store, journal, clock } = world;
  const over = new AbortController();
  const end = () => over.abort();
  const cancel = asked.timeoutMs === null ? () => {} : clock.after(asked.timeoutMs, end);
  asked.signal.addEventListener("abort", end, { once: true });
  const marks = new Map<Ref, TurnMark>();
  try {
    for (;;) {
      const seq = store.log.last();
      const open: Ref[] = [];
      const verdicts: Verdict[] = [];
      for (const target of asked.targets) {
        const verdict = await look(world, asked.condition, target, marks);
        if (verdict === undefined) open.push(target.ref);
        else verdicts.push(verdict);
      }
      if (asked.any ? verdicts.length > 0 : open.length === 0)
        return { verdict: worst(verdicts), timed_out: false };
      // A question ends the wait for all: nobody else will answer it while we stand here.
      if (verdicts.includes("needs_answer")) return { verdict: worst(verdicts), timed_out: false };
      // Cancelled, or the daemon stops: that is no time that ran out.
      asked.signal.throwIfAborted();
      if (over.signal.aborted) return { verdict: "timeout", timed_out: true };
      await asked.progress?.(open);
      const again = new AbortController();
      const tick = clock.after(limits.waitLookEveryMs, () => again.abort());
      await journal.grown(seq, AbortSignal.any([over.signal, again.signal]));
      tick();
    }
  } finally {
    cancel();
    asked.signal.removeEventListener("abort", end);
  }
}

/** The verdict once the condition holds, else undefined. */
async function look(
  world: World,
  condition: Condition,
  target: Target,
  marks: Map<Ref, TurnMark>,
): Promise<Verdict | undefined> {
  if (target.receipt !== undefined) return receiptVerdict(world, target.receipt);
  const facts = factsOf(world, target.ref);
  const mark = marks.get(target.ref) ?? markTurn(facts);
  marks.set(target.ref, mark);
  refuseUntellable(world, facts);
  if (needsAnswer(condition, facts)) return "needs_answer";
  const turn = markedTurn(world, target.ref, mark);
  if (!holds(condition, facts, { turn, hasWorked: hasWorked(world, facts), now: world.clock.now() }))
    return undefined;
  // What is over stays over: only that nothing runs can be untrue by now.
  if (condition !== "done" && condition !== "idle") return verdictOf(condition, facts, turn);
  return (await isConfirmed(world, target.ref))
    ? verdictOf(condition, factsOf(world, target.ref), null)
    : undefined;
}

function markedTurn({ store }: World, ref: Ref, mark: TurnMark): Turn | null {
  return (
    (mark.running === null ? store.turns.next(ref, mark.last) : store.turns.get(ref, mark.running)) ?? null
  );
}

function hasWorked({ store }: World, { lane, latest }: LaneFacts): boolean {
  return latest !== null || store.messages.first(lane.ref) !== undefined;
}

function factsOf({ store }: World, ref: Ref): LaneFacts {
  return (
    store.lanes.facts(ref) ?? fail("not_found", `thread ${ref} was forgotten`, { hint: "dispatch list" })
  );
}

/** One live read, where the thread is loaded: the registry may not have heard yet of a turn that just began. */
async function isConfirmed({ store, agent, live }: World, ref: Ref): Promise<boolean> {
  const threadId = store.lanes.get(ref)?.thread_id ?? null;
  if (threadId === null || !live.get(threadId)) return true;
  const { status } = await agent.readThread(threadId);
  return status !== "active";
}

function receiptVerdict({ store }: World, id: string): Verdict | undefined {
  const message: Message =
    store.messages.get(id) ?? fail("not_found", `no receipt ${id}`, { hint: "dispatch list" });
  if (message.state === "unsure") return "unsure";
  if (store.requests.listOpen({ lane: message.lane }).length > 0 && message.state === "delivered")
    return "needs_answer";
  if (!isTerminal(message.state)) return undefined;
  // Context has no outcome, and one settled by hand has none that is known: neither is a failure.
  const isGood =
    message.state === "done" && message.outcome !== "failed" && message.outcome !== "interrupted";
  return isGood ? "ok" : "turn_failed";
}

/** A turn of a dead child is settled by reading it; with no Codex to read, silence would be a lie. */
function refuseUntellable({ agent, live }: World, { lane, latest }: LaneFacts): void {
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
