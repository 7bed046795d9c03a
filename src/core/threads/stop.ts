/** Interrupts the running turn and the sub-agents of the thread, and waits until their end is seen. */
import { DispatchError, errorMessage } from "../../base/error.ts";
import type { CoreDeps } from "../model/deps.ts";
import { isSteering } from "../model/message.ts";
import type { Ref } from "../model/ports/rows.ts";
import { refusalOf } from "../model/refusal.ts";
import { until } from "../model/until.ts";
import type { Reconcile } from "../reconcile/loop.ts";
import { isRunning, saysIdle } from "../state/lane.ts";
import { agentsStopped } from "../state/subagents.ts";
import { refuseUnwritable } from "../state/writable.ts";

export interface Stopped {
  state: "stopped" | "pending" | "nothing_running";
  turn_id: string | null;
  goal_paused: boolean;
  /** Thread ids of the sub-agents that ended. */
  agents_stopped: string[];
}

/** Takes no lane lock: a stop must not wait for the delivery that it is to stop. */
export async function stop(
  deps: CoreDeps,
  reconcile: Reconcile,
  ref: Ref,
  timeoutMs: number,
): Promise<Stopped> {
  const { store, agent, live, journal } = deps;
  const lane = store.lanes.get(ref);
  refuseUnwritable(lane);
  const end = deps.clock.monotonic() + timeoutMs;
  const left = () => Math.max(0, end - deps.clock.monotonic());
  const threadId = lane.thread_id;
  if (threadId === null || (!live.get(threadId) && live.agents(threadId).length === 0))
    return { state: "nothing_running", turn_id: null, goal_paused: false, agents_stopped: [] };

  const goalPaused = lane.goal?.status === "active" || lane.goal_setup !== null;
  if (lane.goal_setup !== null) journal.commit(() => store.lanes.set(ref, { goal_setup: null }));
  if (lane.goal?.status === "active") {
    await agent.setGoal(threadId, { status: "paused" });
    journal.commit((change) => {
      store.lanes.set(ref, { goal: { ...lane.goal!, status: "paused" } });
      change.append({ kind: "goal.changed", lane: ref, data: { status: "paused", by: "dispatch" } });
    });
  }
  // A message that was sent a moment ago is about to run; a stop that found no turn yet would not stop it.
  await until(deps, left(), () => !isBeginning(deps, ref));
  const turnId = await runningTurn(deps, ref, threadId);
  if (turnId !== null) await interrupt(deps, reconcile, ref, threadId, turnId);
  const hasTurnEnded = await until(deps, left(), () => {
    const turn = turnId === null ? undefined : store.turns.find(ref, turnId);
    return turnId === null || (turn !== undefined && turn.status !== "in_progress");
  });
  // The caller may go on with the thread at once, so a message that the turn had not taken is settled first.
  if (turnId !== null && hasTurnEnded && store.messages.inFlight(ref)?.turn_id === turnId)
    await reconcile.lane(ref);
  if (turnId !== null) await cleanBackground(deps, ref, threadId);
  // The end of its turn leaves them at work (facts C6). They are read after it, since it may have spawned another one.
  const agents = live.agents(threadId);
  // First, so that nobody who waits takes their end for a good one. A turn that was interrupted is told anyway.
  if (agents.length > 0 && turnId === null)
    journal.commit((change) => agentsStopped(store, change, store.lanes.get(ref), agents.length));
  await Promise.all(agents.map((id) => interruptAgent(deps, ref, id)));
  const haveAgentsEnded = await until(deps, left(), () => live.agents(threadId).length === 0);
  const wasRunning = turnId !== null || agents.length > 0;
  const hasEnded = hasTurnEnded && haveAgentsEnded;
  return {
    state: wasRunning ? (hasEnded ? "stopped" : "pending") : "nothing_running",
    turn_id: turnId,
    goal_paused: goalPaused,
    agents_stopped: agents.filter((id) => !live.agents(threadId).includes(id)),
  };
}

/** One that cannot be interrupted is still listed as working, which makes the stop `pending`. */
async function interruptAgent(deps: CoreDeps, lane: Ref, id: string): Promise<void> {
  const { agent, log } = deps;
  try {
    const [turn] = (await agent.listTurns(id, { cursor: null, limit: 1 })).turns;
    if (turn?.status === "in_progress") await agent.interruptTurn(id, turn.id);
    await cleanBackground(deps, lane, id);
  } catch (thrown) {
    log.warn("a sub-agent was not interrupted", { lane, agent: id, thrown: errorMessage(thrown) });
  }
}

/** An interrupt leaves a running shell behind as a background terminal (facts F18). Never throws. */
async function cleanBackground({ agent, log }: CoreDeps, lane: Ref, threadId: string): Promise<void> {
  await agent
    .cleanBackground(threadId)
    .catch((thrown: unknown) =>
      log.warn("background terminals were not cleaned", { lane, thrown: errorMessage(thrown) }),
    );
}

function isBeginning({ store }: CoreDeps, ref: Ref): boolean {
  const flying = store.messages.inFlight(ref);
  if (!flying || flying.via === "codex_queue" || isSteering(flying) || flying.mode === "context")
    return false;
  return flying.turn_id === null || store.turns.find(ref, flying.turn_id) === undefined;
}

async function runningTurn(
  { store, agent, live }: CoreDeps,
  ref: Ref,
  threadId: string,
): Promise<string | null> {
  const known = store.turns.running(ref).findLast((turn) => isRunning(turn, live));
  if (known) return known.turn_id;
  const { status } = await agent.readThread(threadId);
  if (status !== "active" && saysIdle(live.get(threadId))) return null;
  const { turns } = await agent.listTurns(threadId, { cursor: null, limit: 1 });
  return turns[0]?.status === "in_progress" ? turns[0].id : null;
}

async function interrupt(
  deps: CoreDeps,
  reconcile: Reconcile,
  ref: Ref,
  threadId: string,
  turnId: string,
): Promise<void> {
  try {
    await deps.agent.interruptTurn(threadId, turnId);
  } catch (thrown) {
    const reason = refusalOf(thrown);
    // The turn ended in between: reading settles the registry. Codex up to 0.166 does not refuse the call, it never
    // answers (facts F19).
    const isUnanswered = thrown instanceof DispatchError && thrown.code === "timeout";
    if (reason !== "no_active_turn" && reason !== "turn_mismatch" && !isUnanswered) throw thrown;
    await reconcile.look(ref);
  }
}
