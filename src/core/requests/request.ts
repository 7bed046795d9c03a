/** Requests of Codex: recorded, shown, and answered exactly once or refused explicitly. None stops a turn unnoticed. */
import { DispatchError, errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Answer } from "../model/answer.ts";
import type { CoreDeps, Policy } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Epoch } from "../model/ports/agent.ts";
import type { RequestFacts } from "../model/ports/request.ts";
import type { Lane, Request } from "../model/ports/rows.ts";
import { decide } from "../policy/decide.ts";
import { expire } from "../state/settle.ts";
import { optionsOf, refusalReply, resultOf } from "./reply.ts";
import { requestRow } from "./requestrow.ts";
import { sendReply } from "./send.ts";
import { openToolCall } from "./toolcall.ts";

/** Inside the batch's transaction. */
export function openRequest(deps: CoreDeps, change: Change, epoch: Epoch, facts: RequestFacts): void {
  const { thread_id } = facts;
  const lane = thread_id === null ? undefined : deps.store.lanes.findByThread(thread_id);
  if (thread_id === null || facts.kind === "current_time") answerUnrecorded(deps, change, epoch, facts, lane);
  else if (lane?.source === "own" && facts.kind === "tool_call")
    openToolCall(deps, change, epoch, facts, { ...lane, thread_id });
  else if (lane?.source === "own") record(deps, change, epoch, facts, lane);
  else {
    deps.live.pendingLookups.add(facts.rpc_id);
    change.after(() => void openForParent(deps, epoch, facts, thread_id));
  }
}

/** A request of a sub-agent belongs to its root thread; it comes with the sub-agent's own thread id (facts F49). */
async function openForParent(
  deps: CoreDeps,
  epoch: Epoch,
  facts: RequestFacts,
  threadId: string,
): Promise<void> {
  const { journal, live, log } = deps;
  const lane = await parentLane(deps, threadId);
  try {
    journal.commit((change) => {
      // A row of a child that died meanwhile would stay open for ever.
      if (live.epoch() !== epoch) return;
      // Resolved meanwhile, or sent again and recorded already.
      if (!live.pendingLookups.delete(facts.rpc_id)) return;
      const asks = { ...facts.asks, sub_agent: threadId };
      if (lane) record(deps, change, epoch, { ...facts, asks }, lane);
      else answerUnrecorded(deps, change, epoch, facts);
    });
  } catch (thrown) {
    log.warn("a question could not be stored, so it is refused", { reason: errorMessage(thrown) });
    sendReply(deps, epoch, { rpc_id: facts.rpc_id, ...refusalReply(facts) });
  }
}

/** The managed thread that a sub-agent works for. */
export async function parentLane(
  { store, agent, log }: CoreDeps,
  threadId: string,
): Promise<Lane | undefined> {
  let at: string | null = threadId;
  try {
    for (let depth = 0; at !== null && depth < limits.thread.subAgentDepthMax; depth++) {
      at = (await agent.readThread(at)).parent_id;
      const lane = at === null ? undefined : store.lanes.findByThread(at);
      if (lane?.source === "own") return lane;
    }
  } catch (thrown) {
    log.warn("whose a question is could not be read", { thread: threadId, reason: errorMessage(thrown) });
  }
  return undefined;
}

/** A request that Codex sends again after a resume (facts F48) keeps its id and its row. */
function record(deps: CoreDeps, change: Change, epoch: Epoch, facts: RequestFacts, lane: Lane): void {
  const { store, mint } = deps;
  if (store.requests.findByWire(epoch, facts.rpc_id)) return;
  const policy = policyOf(deps);
  let id = mint.ref();
  while (store.requests.find(id)) id = mint.ref();
  const request = requestRow(deps, id, lane, epoch, facts, policy?.requestTimeoutMs ?? null, change.now);
  store.requests.add(request);
  change.append({
    kind: "request.opened",
    lane: lane.ref,
    turn_id: facts.turn_id,
    data: { request: request.id, kind: facts.kind, summary: request.summary },
  });
  const options = optionsOf(request);
  if (options.length === 0) {
    close(deps, change, request, "refused", "dispatch");
    change.after(() => sendReply(deps, epoch, { rpc_id: facts.rpc_id, ...refusalReply(facts) }));
    return;
  }
  const { ruling, by } = policy
    ? decide(request, lane, policy.rules, deps.files.isInside)
    : { ruling: "ask" as const, by: null };
  // A rule may give an answer that the request does not take: then a person decides.
  if (ruling !== "ask" && by !== null && options.includes(ruling)) {
    const result = resultOf(request, { decision: ruling });
    close(deps, change, request, ruling, by);
    change.after(() => sendReply(deps, epoch, { rpc_id: facts.rpc_id, result }));
  } else if (request.expires_at !== null) {
    const { id, expires_at } = request;
    const leftMs = expires_at - change.now;
    change.after(() => endAfter(deps, id, leftMs));
  }
}

/**
 * For a thread that is not managed, or for none: no row can hold it. A request for the time is answered, not recorded.
 */
function answerUnrecorded(
  deps: CoreDeps,
  change: Change,
  epoch: Epoch,
  facts: RequestFacts,
  lane?: Lane,
): void {
  const { rpc_id, thread_id, kind, method } = facts;
  const isTime = kind === "current_time";
  change.append({
    kind: "request.answered",
    lane: lane?.ref ?? null,
    data: { thread_id, kind, method, decision: isTime ? "told" : "refused", by: "dispatch" },
  });
  const currentTimeAt = Math.floor(change.now / 1000);
  change.after(() =>
    sendReply(deps, epoch, { rpc_id, ...(isTime ? { result: { currentTimeAt } } : refusalReply(facts)) }),
  );
}

/** Undefined when the configuration cannot be read: then a person answers every request. */
function policyOf(deps: CoreDeps): Policy | undefined {
  try {
    return deps.policy();
  } catch (thrown) {
    deps.log.warn("the configuration is broken, so a person answers every request", {
      reason: errorMessage(thrown),
    });
    return undefined;
  }
}

function close({ store }: CoreDeps, change: Change, request: Request, decision: string, by: string): void {
  const { id, kind, lane, turn_id } = request;
  store.requests.set(id, { state: "answered", decision, answered_by: by, closed_at: change.now });
  change.append({ kind: "request.answered", lane, turn_id, data: { request: id, kind, decision, by } });
}

/** After this time by the monotonic clock: a clock that is set back keeps no request open. */
function endAfter(deps: CoreDeps, id: string, ms: number): void {
  const { clock } = deps;
  const until = clock.monotonic() + ms;
  clock.after(Math.min(ms, limits.timer.maxMs), () => {
    const left = until - clock.monotonic();
    if (left > 0) endAfter(deps, id, left);
    else expireUnanswered(deps, id);
  });
}

/** Denies a request that got no answer in time, so that the turn goes on. Repeated until the registry stores it. */
function expireUnanswered(deps: CoreDeps, id: string): void {
  const { store, journal, clock, log } = deps;
  try {
    journal.commit((change) => {
      const request = store.requests.find(id);
      if (request?.state !== "open") return;
      expire(store, change, id);
      const result = resultOf(request, { decision: "deny" });
      change.after(() => sendReply(deps, request.epoch, { rpc_id: request.rpc_id, result }));
    });
  } catch (thrown) {
    log.warn("a question could not be ended yet", { request: id, reason: errorMessage(thrown) });
    clock.after(limits.loop.everyMs, () => expireUnanswered(deps, id));
  }
}

/**
 * Throws `usage` (the answer does not fit the request), `not_found`, `conflict` (answered or expired), `agent_down`
 * (the child died, and the request expired with it).
 */
export async function answer(deps: CoreDeps, id: string, given: Answer, by: string): Promise<Request> {
  const { store, journal, agent } = deps;
  const { request, result } = journal.commit((change) => {
    const open = store.requests.get(id);
    if (open.state !== "open") {
      fail(
        "conflict",
        `request ${id} is ${open.state} already${open.decision ? ` (${open.decision})` : ""}`,
        { hint: `dispatch request get ${id}` },
      );
    }
    const result = resultOf(open, given);
    // The answer may be a secret, so no row and no event stores it.
    close(deps, change, open, "decision" in given ? given.decision : "answer", by);
    return { request: open, result };
  });
  try {
    await agent.reply(request.epoch, { rpc_id: request.rpc_id, result });
  } catch (thrown) {
    journal.commit((change) => {
      store.requests.set(id, { state: "expired" });
      change.append({
        kind: "request.expired",
        lane: request.lane,
        turn_id: request.turn_id,
        data: { request: id, kind: request.kind },
      });
    });
    throw new DispatchError("agent_down", `request ${id} expired: the Codex process that asked is gone`, {
      hint: `dispatch get ${request.lane}`,
      cause: thrown,
    });
  }
  return store.requests.get(id);
}

/** At the end of the child that sent them. */
export function expireRequests(deps: CoreDeps, epoch: Epoch, change: Change): void {
  for (const request of deps.store.requests.listOpen({ epoch })) expire(deps.store, change, request.id);
}
