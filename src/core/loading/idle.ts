/** Refuses operations during a turn: Codex would interrupt the turn and report success (facts F17). */
import { fail } from "../../base/error.ts";
import type { CoreDeps } from "../model/deps.ts";
import { isInFlight } from "../model/message.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import { refusalOf } from "../model/refusal.ts";
import { isBetweenGoalTurns } from "../state/goal.ts";

/**
 * Under the lane's lock. Throws `thread_busy` with the reason. `what` names the operation; `needsEmptyQueue`: a queued
 * message is a reason too.
 */
export async function assertIdle(
  deps: CoreDeps,
  ref: Ref,
  what: string,
  needsEmptyQueue = false,
): Promise<Lane> {
  const { store, agent, live } = deps;
  const lane = store.lanes.get(ref);
  const stop = { hint: `dispatch stop ${ref}` };
  if (store.turns.running(ref).length > 0)
    fail("thread_busy", `thread ${ref} runs a turn, which ${what} would cut`, stop);
  refuseUnsettled(deps, ref);
  refuseGoal(deps, lane, `${what} would cut its next turn`);
  if (needsEmptyQueue && lane.pending > 0) {
    fail("thread_busy", `thread ${ref} has ${lane.pending} messages waiting`, {
      hint: `dispatch queue list ${ref}`,
    });
  }
  if (live.get(lane.thread_id) && (await agent.readThread(lane.thread_id!)).status === "active") {
    fail("thread_busy", `thread ${ref} runs a turn, which ${what} would cut`, stop);
  }
  return lane;
}

/** Throws `thread_busy` between two turns of an active goal: the next one begins in a moment. */
export function refuseGoal({ store }: CoreDeps, lane: Lane, why: string): void {
  if (!isBetweenGoalTurns(lane, store.turns.latest(lane.ref) ?? null)) return;
  fail("thread_busy", `thread ${lane.ref} goes on with its goal, and ${why}`, {
    hint: `dispatch goal set ${lane.ref} --status paused`,
  });
}

/** Throws `thread_busy` while a message is in flight and its delivery is not settled. */
export function refuseUnsettled({ store }: CoreDeps, ref: Ref): void {
  const message = store.messages.open(ref).find(({ state }) => isInFlight(state));
  if (message === undefined) return;
  const where = message.via === "codex_queue" ? "waits in Codex's own queue" : "is in flight";
  fail("thread_busy", `a text to ${ref} ${where} and is not settled`, {
    hint: `dispatch receipt get ${message.id}; dispatch wait ${ref}`,
  });
}

/**
 * Throws `thread_busy` while sub-agents of the thread work, also when its own turn is over: Codex ends them when it
 * archives the thread, and loses their reports when it unloads it (facts C6). For whatever does one of the two.
 */
export function refuseAgents({ live }: CoreDeps, { ref, thread_id }: Lane, why: string): void {
  const agents = live.agents(thread_id);
  if (agents.length === 0) return;
  fail("thread_busy", `sub-agents work for ${ref}, and ${why}: ${agents.join(", ")}`, {
    hint: endOfAgents(ref),
    data: { agents },
  });
}

/** Throws `thread_busy` if the thread is itself a sub-agent that works, which archiving would cut. */
export function refuseWorkingAgent({ store, live }: CoreDeps, threadId: string | null): void {
  const top = store.lanes.findByThread(live.topOf(threadId) ?? "");
  if (!top) return;
  fail(
    "thread_busy",
    `thread ${threadId} is a sub-agent that works for ${top.ref}, and archiving it would cut it`,
    {
      hint: endOfAgents(top.ref),
    },
  );
}

function endOfAgents(ref: Ref): string {
  return `dispatch wait ${ref}; or dispatch stop ${ref}, which ends them`;
}

/** Rethrows. A refusal because another process has the thread open becomes `authority`, with the ways out. */
export function explainActiveWriter(thrown: unknown, name: string): never {
  if (refusalOf(thrown) !== "active_writer") throw thrown;
  fail("authority", `another app has ${name} open`, {
    hint: "close it there and try again; or dispatch fork it, which needs no lock",
    cause: thrown,
  });
}
