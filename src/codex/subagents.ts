/**
 * Tracks the sub-agents of a thread: which of them work, and the tokens of each. They may outlive the turn that spawned
 * them, without an event, and may report before an item of the parent names them (facts C6).
 */
import { limits } from "../base/limits.ts";
import type { AgentEvent, AgentFailure, TokensEvent } from "../core/model/ports/agentevent.ts";
import { type Json, list, object, text } from "./read.ts";
import { tokenUsage } from "./wire.ts";

type Reported = Pick<TokensEvent, "turn_id" | "total" | "last" | "context_window">;

/**
 * Reads each notification. Returns an event with the new list when the working sub-agents of a top thread changed or one
 * failed, and the tokens of a thread, again when its top thread becomes known.
 */
export function subagents(): (method: string, thread: string, params: Json) => AgentEvent[] {
  const parents = new Map<string, string>();
  const working = new Set<string>();
  const reported = new Map<string, string>();
  const models = new Map<string, string>();
  const tokens = new Map<string, Reported>();

  const topOf = (thread: string): string => {
    let top = thread;
    // Bounded, so that a cycle of parents cannot hang.
    for (let depth = 0; depth < limits.wire.subAgentDepthMax; depth++) top = parents.get(top) ?? top;
    return top;
  };

  const bounded = (known: Map<string, unknown>) => {
    const [oldest] = known.keys();
    if (known.size > limits.wire.subAgentsKnownMax && oldest !== undefined) known.delete(oldest);
  };

  /** Returns whether the parent was not known. */
  const adopt = (parent: string, child: string): boolean => {
    if (child === parent || topOf(parent) === child) return false;
    const isNew = parents.get(child) !== parent;
    parents.set(child, parent);
    bounded(parents);
    return isNew;
  };

  const tokensEvent = (thread_id: string, usage: Reported): TokensEvent => ({
    kind: "tokens",
    thread_id,
    root_id: topOf(thread_id),
    model: models.get(thread_id) ?? null,
    ...usage,
  });

  const noteTokens = (thread: string, params: Json): AgentEvent[] => {
    const turn_id = text(params["turnId"]);
    const usage = tokenUsage(params["tokenUsage"]);
    if (turn_id === null || usage === undefined) return [];
    tokens.delete(thread);
    tokens.set(thread, { turn_id, ...usage });
    bounded(tokens);
    return [tokensEvent(thread, { turn_id, ...usage })];
  };

  /** Of the sub-agents of this top thread. */
  const tokensBelow = (top: string): AgentEvent[] =>
    [...tokens].flatMap(([thread, usage]) =>
      thread !== top && topOf(thread) === top ? [tokensEvent(thread, usage)] : [],
    );

  return (method, thread, params) => {
    if (method === "thread/tokenUsage/updated") return noteTokens(thread, params);
    const state = workOf(method, params);
    const children = method.startsWith("item/") ? childrenIn(object(params["item"])) : [];
    if (state === undefined && children.length === 0) return [];
    if (state === "working") working.add(thread);
    if (state === "over") working.delete(thread);
    const model = text(object(params["item"])?.["model"]);
    for (const child of children) if (model !== null) models.set(child, model);
    bounded(models);
    const isGrown = children.map((child) => adopt(thread, child)).includes(true);
    const top = topOf(thread);
    const found = isGrown ? tokensBelow(top) : [];
    const agents = [...working].filter((agent) => agent !== top && topOf(agent) === top).sort();
    const list = agents.join(" ");
    const failed = thread === top ? undefined : failureIn(method, thread, params);
    if (list === (reported.get(top) ?? "") && !failed) return found;
    if (list === "") reported.delete(top);
    else reported.set(top, list);
    return [...found, { kind: "agents_working", thread_id: top, agents, ...(failed ? { failed } : {}) }];
  };
}

function workOf(method: string, params: Json): "working" | "over" | undefined {
  switch (method) {
    case "turn/started":
      return "working";
    case "turn/completed":
    case "thread/closed":
      return "over";
    case "thread/status/changed": {
      const status = text(object(params["status"])?.["type"]);
      // The end of the turn that failed follows, and says why.
      if (status === "systemError") return undefined;
      return status === "active" ? "working" : "over";
    }
    default:
      return undefined;
  }
}

function failureIn(method: string, agent: string, params: Json): AgentFailure | undefined {
  const turn = object(params["turn"]);
  if (method !== "turn/completed" || text(turn?.["status"]) !== "failed") return undefined;
  return { agent, words: text(object(turn?.["error"])?.["message"]) ?? "Codex gave no reason" };
}

/** The sub-agents that an item names, in both of Codex's item types. */
function childrenIn(item: Json | undefined): string[] {
  const kind = text(item?.["type"]);
  const ids =
    kind === "collabAgentToolCall"
      ? list(item?.["receiverThreadIds"])
      : kind === "subAgentActivity"
        ? [item?.["agentThreadId"]]
        : [];
  return ids.filter((id): id is string => typeof id === "string");
}
