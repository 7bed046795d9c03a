/** Questions Codex asks: recorded, shown, answered exactly once or refused out loud. None hangs a turn unseen. */
import { DispatchError, errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Answer } from "../model/answer.ts";
import type { CoreDeps, Policy } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Epoch } from "../model/ports/agent.ts";
import type { AgentReply, RequestFacts } from "../model/ports/request.ts";
import type { Lane, Request } from "../model/ports/rows.ts";
import { decide } from "../policy/decide.ts";
import { expire } from "../state/settle.ts";
import { optionsOf, refusalOf, resultOf } from "./reply.ts";
import { requestRow } from "./requestrow.ts";

/** Inside the batch's transaction. */
export function openRequest(deps: CoreDeps, change: Change, epoch: Epoch, asked: RequestFacts): void {
  const { thread_id } = asked;
  const lane = thread_id === null ? undefined : deps.store.lanes.findByThread(thread_id);
  if (thread_id === null || asked.kind === "current_time") answerUnrecorded(deps, change, epoch, asked, lane);
  else if (lane?.source === "own") record(deps, change, epoch, asked, lane);
  else {
    deps.live.pendingLookups.add(asked.rpc_id);
    change.after(() => void openAbove(deps, epoch, asked, thread_id));
  }
}

/** What a sub-agent asks, its root thread asks (measured: it comes with the sub-agent's own id). */
async function openAbove(deps: CoreDeps, epoch: Epoch, asked: RequestFacts, threadId: string): Promise<void> {
  const { journal, live, log } = deps;
  const lane = await laneAbove(deps, threadId);
  try {
    journal.commit((change) => {
      // A row of a child that died meanwhile would stay open for ever.
      if (live.epoch() !== epoch) return;
      // Resolved meanwhile, or asked again and recorded already.
      if (!live.pendingLookups.delete(asked.rpc_id)) return;
      const asks = { ...asked.asks, sub_agent: threadId };
      if (lane) record(deps, change, epoch, { ...asked, asks }, lane);
      else answerUnrecorded(deps, change, epoch, asked);
    });
  } catch (thrown) {
    log.warn("a question could not be stored, so it is refused", { reason: errorMessage(thrown) });
    tell(deps, epoch, { rpc_id: asked.rpc_id, ...refusalOf(asked) });
  }
}

/** The managed thread that a sub-agent works for. */
export async function laneAbove(
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

/** A re-sent request keeps its id and its row (Codex re-sends on resume, measured). */
function record(deps: CoreDeps, change: Change, epoch: Epoch, asked: RequestFacts, lane: Lane): void {
  const { store, mint } = deps;
  if (store.requests.findByWire(epoch, asked.rpc_id)) return;
  const policy = policyOf(deps);
  let id = mint.ref();
  while (store.requests.find(id)) id = mint.ref();
  const request = requestRow(deps, id, lane, epoch, asked, policy?.requestTimeoutMs ?? null, change.now);
  store.requests.add(request);
  change.append({
    kind: "request.opened",
    lane: lane.ref,
    turn_id: asked.turn_id,
    data: { request: request.id, kind: asked.kind, summary: request.summary },
  });
  const options = optionsOf(request);
  if (options.length === 0) {
    close(deps, change, request, "refused", "dispatch");
    change.after(() => tell(deps, epoch, { rpc_id: asked.rpc_id, ...refusalOf(asked) }));
    return;
  }
  const { ruling, by } = policy
    ? decide(request, lane, policy.rules, deps.files.isInside)
    : { ruling: "ask" as const, by: null };
  // A rule may say what the question does not take: that is a person's to see.
  if (ruling !== "ask" && by !== null && options.includes(ruling)) {
    const result = resultOf(request, { decision: ruling });
    close(deps, change, request, ruling, by);
    change.after(() => tell(deps, epoch, { rpc_id: asked.rpc_id, result }));
  } else if (request.expires_at !== null) {
    const { id, expires_at } = request;
    const leftMs = expires_at - change.now;
    change.after(() => endAfter(deps, id, leftMs));
  }
}

/** Of a thread that is not managed, or of nobody: no row can stand for it. The time is no question. */
function answerUnrecorded(
  deps: CoreDeps,
  change: Change,
  epoch: Epoch,
  asked: RequestFacts,
  lane?: Lane,
): void {
  const { rpc_id, thread_id, kind, method } = asked;
  const isTime = kind === "current_time";
  change.append({
    kind: "request.answered",
    lane: lane?.ref ?? null,
    data: { thread_id, kind, method, decision: isTime ? "told" : "refused", by: "dispatch" },
  });
  const currentTimeAt = Math.floor(change.now / 1000);
  change.after(() =>
    tell(deps, epoch, { rpc_id, ...(isTime ? { result: { currentTimeAt } } : refusalOf(asked)) }),
  );
}

/** Of a configuration that cannot be read nothing is left but to ask. */
function policyOf(deps: CoreDeps): Policy | undefined {
  try {
    return deps.policy();
  } catch (thrown) {
    deps.log.warn("the configuration is broken, so every question is asked", {
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

/** What a daemon says by itself; a child that is gone took its question with it. */
function tell({ agent, log }: CoreDeps, epoch: Epoch, reply: AgentReply): void {
  agent
    .reply(epoch, reply)
    .catch((thrown: unknown) => log.warn("an answer did not reach Codex", { reason: errorMessage(thrown) }));
}

/** After so long by the monotonic clock: one that is set back keeps no question open. */
function endAfter(deps: CoreDeps, id: string, ms: number): void {
  const { clock } = deps;
  const until = clock.monotonic() + ms;
  clock.after(Math.min(ms, limits.timer.maxMs), () => {
    const left = until - clock.monotonic();
    if (left > 0) endAfter(deps, id, left);
    else runOut(deps, id);
  });
}

/** Nobody answered in time: a no, in the kind's own way, so that the turn goes on; once the registry takes it. */
function runOut(deps: CoreDeps, id: string): void {
  const { store, journal, clock, log } = deps;
  try {
    journal.commit((change) => {
      const request = store.requests.find(id);
      if (request?.state !== "open") return;
      expire(store, change, id);
      const result = resultOf(request, { decision: "deny" });
      change.after(() => tell(deps, request.epoch, { rpc_id: request.rpc_id, result }));
    });
  } catch (thrown) {
    log.warn("a question could not be ended yet", { request: id, reason: errorMessage(thrown) });
    clock.after(limits.loop.everyMs, () => runOut(deps, id));
  }
}

/**
 * Throws `usage` (it does not fit the question), `not_found`, `conflict` (answered or expired), `agent_down` (the
 * child died: the request expired with it).
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
    // What was answered is Codex's to keep: it may be a secret, so no row and no event of ours holds it.
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

/** With the child that asked. */
export function expireOf(deps: CoreDeps, epoch: Epoch, change: Change): void {
  for (const request of deps.store.requests.listOpen({ epoch })) expire(deps.store, change, request.id);
}
