/** Turns a notification into an AgentEvent. Undefined for those that core does not need. Deltas are handled before. */
import type { AgentEvent } from "../core/model/ports/agentevent.ts";
import { itemFacts } from "./items.ts";
import { type Json, msOfSeconds, number, object, row, text } from "./read.ts";
import { goalFacts, rateLimits, statusFlags, threadFacts, threadStatus, turnFacts } from "./wire.ts";

type Reader = (params: Json, thread_id: string) => AgentEvent | undefined;

/** By method. Each of these notifications has a `threadId`. */
const readers: Record<string, Reader> = {
  "thread/status/changed": (params, thread_id) => {
    const status = threadStatus(params["status"]);
    return status && { kind: "thread_status", thread_id, status, flags: statusFlags(params["status"]) };
  },
  "thread/closed": (_, thread_id) => ({ kind: "thread_closed", thread_id }),
  "thread/archived": (_, thread_id) => ({ kind: "thread_archived", thread_id, archived: true }),
  "thread/unarchived": (_, thread_id) => ({ kind: "thread_archived", thread_id, archived: false }),
  "thread/name/updated": (params, thread_id) => ({
    kind: "thread_renamed",
    thread_id,
    name: text(params["threadName"]),
  }),
  "turn/started": (params, thread_id) => {
    // The id is nested: this notification has no `params.turnId`.
    const turn = object(params["turn"]);
    const turn_id = text(turn?.["id"]);
    if (turn_id === null) return undefined;
    return { kind: "turn_started", thread_id, turn_id, at: msOfSeconds(turn?.["startedAt"]) };
  },
  "turn/completed": (params, thread_id) => {
    const turn = turnFacts(params["turn"]);
    return turn && { kind: "turn_completed", thread_id, turn };
  },
  // With willRetry false a failed turn/completed follows with the same error.
  error: (params, thread_id) => {
    const turn_id = text(params["turnId"]);
    if (params["willRetry"] !== true || turn_id === null) return undefined;
    // The message is "Reconnecting... 1/2". The cause is in the details.
    const error = object(params["error"]);
    const message = [text(error?.["message"]), text(error?.["additionalDetails"])]
      .filter((part) => part !== null)
      .join(": ");
    return { kind: "turn_retrying", thread_id, turn_id, message };
  },
  "item/completed": (params, thread_id) => {
    const turn_id = text(params["turnId"]);
    const item = itemFacts(params["item"], number(params["completedAtMs"]));
    return turn_id !== null && item ? { kind: "item_completed", thread_id, turn_id, item } : undefined;
  },
  "thread/goal/updated": (params, thread_id) => {
    const goal = goalFacts(params["goal"]);
    return goal === null ? undefined : { kind: "goal_changed", thread_id, goal };
  },
  // Also sent when a thread without a goal is resumed (facts F32).
  "thread/goal/cleared": (_, thread_id) => ({ kind: "goal_changed", thread_id, goal: null }),
  "serverRequest/resolved": (params, thread_id) => {
    const rpc_id = params["requestId"];
    if (typeof rpc_id !== "string" && typeof rpc_id !== "number") return undefined;
    return { kind: "request_resolved", thread_id, rpc_id };
  },
};

/** The event for an answer that comes after the deadline of a call that loads a thread. */
export function lateThread(answer: Json, is_durable: boolean): AgentEvent | undefined {
  const id = text(object(answer["thread"])?.["id"]);
  if (id === null) return undefined;
  const mark = threadFacts(answer["thread"])?.mark ?? null;
  return { kind: "thread_late", thread_id: id, mark, is_durable };
}

export function agentEvent(method: string, params: Json): AgentEvent | undefined {
  if (method === "thread/started") {
    const thread = threadFacts(params["thread"]);
    return thread && { kind: "thread_started", thread };
  }
  if (method === "account/rateLimits/updated") {
    const limits = rateLimits(params["rateLimits"]);
    return limits && { kind: "rate_limits", limits };
  }
  const thread_id = text(params["threadId"]);
  return thread_id === null ? undefined : row(readers, method)?.(params, thread_id);
}
