/** Tracks the working sub-agents of a thread. They may outlive the turn that spawned them, without an event (facts C6). */
import { limits } from "../base/limits.ts";
import type { AgentEvent } from "../core/model/ports/agentevent.ts";
import { type Json, list, object, text } from "./read.ts";

/** Reads each notification. Returns an event with the new list when the working sub-agents of a top thread changed. */
export function subagents(): (method: string, thread: string, params: Json) => AgentEvent[] {
  const parents = new Map<string, string>();
  const working = new Set<string>();
  const reported = new Map<string, string>();

  const topOf = (thread: string): string => {
    let top = thread;
    // Bounded, so that a cycle of parents cannot hang.
    for (let depth = 0; depth < limits.wire.subAgentDepthMax; depth++) top = parents.get(top) ?? top;
    return top;
  };

  const adopt = (parent: string, child: string) => {
    if (child === parent || topOf(parent) === child) return;
    parents.set(child, parent);
    const [oldest] = parents.keys();
    if (parents.size > limits.wire.subAgentsKnownMax && oldest !== undefined) parents.delete(oldest);
  };

  return (method, thread, params) => {
    const state = workOf(method, params);
    const children = method.startsWith("item/") ? childrenIn(object(params["item"])) : [];
    if (state === undefined && children.length === 0) return [];
    if (state === "working") working.add(thread);
    if (state === "over") working.delete(thread);
    for (const child of children) adopt(thread, child);
    const top = topOf(thread);
    const agents = [...working].filter((agent) => agent !== top && topOf(agent) === top).sort();
    const list = agents.join(" ");
    if (list === (reported.get(top) ?? "")) return [];
    if (list === "") reported.delete(top);
    else reported.set(top, list);
    return [{ kind: "agents_working", thread_id: top, agents }];
  };
}

function workOf(method: string, params: Json): "working" | "over" | undefined {
  switch (method) {
    case "turn/started":
      return "working";
    case "turn/completed":
    case "thread/closed":
      return "over";
    case "thread/status/changed":
      return text(object(params["status"])?.["type"]) === "active" ? "working" : "over";
    default:
      return undefined;
  }
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
