/** Questions Codex asks: recorded, shown, answered exactly once or refused out loud. None hangs a turn unseen. */

import { iso, isoOrNull } from "../base/clock.ts";
import { DispatchError, fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Change } from "./journal.ts";
import type { AgentReply, Epoch, RequestFacts, RequestKind } from "./ports/agent.ts";
import type { Request, Store } from "./ports/store.ts";
import { expire } from "./settle.ts";
import type { World } from "./world.ts";

export const decisions = ["approve", "approve_for_session", "deny", "cancel"] as const;
export type Decision = (typeof decisions)[number];

const approvals: readonly RequestKind[] = ["command_approval", "file_change_approval"];

const wireDecision: Record<Decision, string> = {
  approve: "accept",
  approve_for_session: "acceptForSession",
  deny: "decline",
  cancel: "cancel",
};

export interface RequestView {
  id: string;
  kind: RequestKind;
  thread: string;
  turn_id: string | null;
  state: "open" | "answered" | "expired";
  summary: string;
  command: string | null;
  cwd: string | null;
  diff: string | null;
  questions: unknown[] | null;
  options: string[] | null;
  asked_at: string;
  expires_at: string | null;
  answered_by: string | null;
  decision: string | null;
}

export function requestView(request: Request): RequestView {
  const { questions } = request.params;
  return {
    id: request.id,
    kind: request.kind,
    thread: request.lane,
    turn_id: request.turn_id,
    state: request.state,
    summary: request.summary,
    command: request.command,
    cwd: request.cwd,
    diff: request.diff,
    questions: Array.isArray(questions) ? questions : null,
    options: approvals.includes(request.kind) ? [...decisions] : null,
    asked_at: iso(request.asked_at),
    expires_at: isoOrNull(request.expires_at),
    answered_by: request.answered_by,
    decision: request.decision,
  };
}

/** Inside the batch's transaction. A re-sent request keeps its id and its row (Codex re-sends on resume, measured). */
export function openRequest(world: World, change: Change, epoch: Epoch, asked: RequestFacts): void {
  const { store, agent, log, mint } = world;
  const lane = asked.thread_id === null ? undefined : store.lanes.findByThread(asked.thread_id);
  const isAnswerable = lane !== undefined && approvals.includes(asked.kind);
  if (store.requests.findByWire(epoch, asked.rpc_id)) return;
  if (lane) {
    const request = rowOf(mint.ref(), lane.ref, epoch, asked, change.now);
    store.requests.add(request);
    change.append({
      kind: "request.opened",
      lane: lane.ref,
      turn_id: asked.turn_id,
      data: { request: request.id, kind: asked.kind, summary: request.summary },
    });
    if (!isAnswerable) refuse(store, change, request);
  }
  if (isAnswerable) return;
  if (!lane) {
    const { thread_id, kind, method } = asked;
    change.append({
      kind: "request.answered",
      data: { thread_id, kind, method, decision: "refused", by: "dispatch" },
    });
  }
  change.after(() => {
    agent
      .reply(epoch, refusal(asked))
      .catch((thrown: unknown) => log.warn("a refusal did not reach Codex", { thrown }));
  });
}

function refuse(store: Store, change: Change, request: Request): void {
  store.requests.set(request.id, {
    state: "answered",
    decision: "refused",
    answered_by: "dispatch",
    closed_at: change.now,
  });
  change.append({
    kind: "request.answered",
    lane: request.lane,
    turn_id: request.turn_id,
    data: { request: request.id, kind: request.kind, decision: "refused", by: "dispatch" },
  });
}

/** Each kind's own way of saying no; an error makes the item fail and the turn go on (measured). */
export function refusal(asked: RequestFacts): AgentReply {
  const { rpc_id } = asked;
  if (asked.kind === "elicitation")
    return { rpc_id, result: { action: "decline", content: null, _meta: null } };
  if (asked.kind === "tool_call") {
    return {
      rpc_id,
      result: { success: false, contentItems: [{ type: "inputText", text: "dispatch offers no such tool" }] },
    };
  }
  return { rpc_id, error: { code: -32601, message: `dispatch does not answer ${asked.method}` } };
}

function rowOf(id: string, lane: Request["lane"], epoch: Epoch, asked: RequestFacts, now: number): Request {
  const isSmall = Buffer.byteLength(JSON.stringify(asked.params)) <= limits.requestBytesMax;
  return {
    id,
    lane,
    epoch,
    rpc_id: asked.rpc_id,
    method: asked.method,
    kind: asked.kind,
    turn_id: asked.turn_id,
    item_id: asked.item_id,
    state: "open",
    summary: (asked.command ?? asked.reason ?? asked.method).slice(0, limits.previewCharsMax).toWellFormed(),
    command: asked.command?.slice(0, limits.requestBytesMax) ?? null,
    cwd: asked.cwd,
    diff: asked.diff === null ? null : asked.diff.slice(0, limits.requestBytesMax),
    params: isSmall ? asked.params : { dropped: "over the limit of a request" },
    decision: null,
    answered_by: null,
    asked_at: now,
    expires_at: asked.auto_resolution_ms === null ? null : now + asked.auto_resolution_ms,
    closed_at: null,
  };
}

/** Throws `not_found`, `conflict` (answered or expired), `agent_down` (the child died: the request expired with it). */
export async function answer(world: World, id: string, decision: Decision, by: string): Promise<RequestView> {
  const { store, journal, agent } = world;
  const request = journal.commit((change) => {
    const open =
      store.requests.get(id) ?? fail("not_found", `no request ${id}`, { hint: "dispatch request list" });
    if (open.state !== "open") {
      fail(
        "conflict",
        `request ${id} is ${open.state} already${open.decision ? ` (${open.decision})` : ""}`,
        {
          hint: `dispatch request get ${id}`,
        },
      );
    }
    store.requests.set(id, { state: "answered", decision, answered_by: by, closed_at: change.now });
    change.append({
      kind: "request.answered",
      lane: open.lane,
      turn_id: open.turn_id,
      data: { request: id, kind: open.kind, decision, by },
    });
    return open;
  });
  try {
    await agent.reply(request.epoch, {
      rpc_id: request.rpc_id,
      result: { decision: wireDecision[decision] },
    });
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
  return requestView(store.requests.get(id)!);
}

/** With the child that asked, or by its own deadline. */
export function expireOf(world: World, epoch: Epoch, change: Change): void {
  for (const request of world.store.requests.listOpen({ epoch })) expire(world.store, change, request.id);
}
