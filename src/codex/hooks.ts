/**
 * Detects decisions of Codex's hooks, for which the client is not asked. A refusal is reported directly: by
 * `PermissionRequest`, and by `PreToolUse`, after which no item follows. An approval looks like a hook that decided
 * nothing, until the item runs without a question to us (facts F50, F51). A hook that refuses a text ends the turn, and
 * only the hook's own text says why (facts F52).
 */
import { limits } from "../base/limits.ts";
import type { AgentEvent, HookDecision } from "../core/model/ports/agentevent.ts";
import { itemFacts } from "./items.ts";
import { type Json, list, object, text } from "./read.ts";

interface Silent {
  turn_id: string | null;
  hooks: HookDecision["hooks"];
}

export interface HookMemory {
  note(method: string, thread: string, params: Json): AgentEvent | undefined;
}

const questions: ReadonlySet<string> = new Set([
  "item/commandExecution/requestApproval",
  "item/fileChange/requestApproval",
  "item/permissions/requestApproval",
  "mcpServer/elicitation/request",
]);

export function hookMemory(): HookMemory {
  /** By thread and item: hooks that ended without a refusal, before any other line about the item. */
  const silent = new Map<string, Silent>();
  /** Running MCP tools by thread: the question about a tool does not name its item. */
  const tools = new Map<string, Set<string>>();

  function ended(thread: string, params: Json): AgentEvent | undefined {
    const run = object(params["run"]);
    // The run's id ends with the id of its item.
    const itemId = text(run?.["id"])?.split(":").at(-1);
    const event = text(run?.["eventName"]);
    const status = text(run?.["status"]);
    const isRefusal = status === "blocked" || status === "stopped";
    const turn_id = text(params["turnId"]);
    const words = list(run?.["entries"])
      .flatMap((entry) => text(object(entry)?.["text"]) ?? [])
      .join("\n");
    // Both run after the start of a turn and before it receives its text.
    if (event === "userPromptSubmit" || event === "sessionStart") {
      if (!isRefusal || turn_id === null) return undefined;
      return { kind: "prompt_refused", thread_id: thread, turn_id, words: words || null };
    }
    if ((event !== "permissionRequest" && event !== "preToolUse") || !itemId) return undefined;
    const key = `${thread} ${itemId}`;
    const hook = { source: text(run?.["source"]), path: text(run?.["sourcePath"]) };
    if (isRefusal) {
      silent.delete(key);
      const decided = { decision: "deny" as const, hooks: [hook], words: words || null };
      return { kind: "hook_decided", thread_id: thread, turn_id, item_id: itemId, item: null, ...decided };
    }
    // A hook that failed decides nothing, and `preToolUse` can only refuse (facts F51).
    if (status !== "completed" || event === "preToolUse") return undefined;
    silent.set(key, { turn_id, hooks: [...(silent.get(key)?.hooks ?? []), hook] });
    const [oldest] = silent.keys();
    if (silent.size > limits.wire.openChangesMax && oldest !== undefined) silent.delete(oldest);
    return undefined;
  }

  function onItem(method: string, thread: string, params: Json): AgentEvent | undefined {
    const item = itemFacts(params["item"]);
    if (!item) return undefined;
    const isOver = method === "item/completed";
    if (item.type === "mcp_tool_call") {
      const running = tools.get(thread) ?? new Set();
      if (isOver) running.delete(item.id);
      else running.add(item.id);
      if (running.size > 0) tools.set(thread, running);
      else tools.delete(thread);
    }
    const key = `${thread} ${item.id}`;
    const found = silent.get(key);
    // A command that waits for an answer starts with source "agent", a running one with its process (facts F51).
    const runs = text(object(params["item"])?.["source"]) === "unifiedExecStartup";
    if (!found || !(isOver || runs)) return undefined;
    silent.delete(key);
    if (item.status === "declined") return undefined;
    const decided = { decision: "approve" as const, hooks: found.hooks, words: null };
    const about = { thread_id: thread, turn_id: found.turn_id ?? text(params["turnId"]), item_id: item.id };
    return { kind: "hook_decided", ...about, item, ...decided };
  }

  /** The hook did not decide: the client or Codex's reviewer does. */
  function decidedElsewhere(thread: string, itemId: string | null): void {
    if (itemId !== null) silent.delete(`${thread} ${itemId}`);
    else for (const tool of tools.get(thread) ?? []) silent.delete(`${thread} ${tool}`);
  }

  return {
    note(method, thread, params) {
      if (method === "hook/completed") return ended(thread, params);
      if (method === "item/started" || method === "item/completed") return onItem(method, thread, params);
      if (questions.has(method)) decidedElsewhere(thread, text(params["itemId"]));
      else if (method.startsWith("item/autoApprovalReview/"))
        decidedElsewhere(thread, text(params["targetItemId"]));
      // Tools of an interrupted turn never complete.
      else if (method === "turn/completed" || method === "thread/closed") tools.delete(thread);
      return undefined;
    },
  };
}
