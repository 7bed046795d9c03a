/**
 * What hooks of Codex decide, where the client is not asked. A refusal is said outright: by `PermissionRequest`, and by
 * `PreToolUse`, after which no item follows. A yes looks like a silent hook until the item shows which it was: it runs,
 * and no question came to us (measured). A hook that refuses a text ends the turn, and only its own words say why.
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
  /** By thread and item: hooks that ended without a refusal, before anything else was heard of the item. */
  const silent = new Map<string, Silent>();
  /** MCP tools under way: the question about one does not name its item. */
  const tools = new Map<string, Set<string>>();

  function ended(thread: string, params: Json): AgentEvent | undefined {
    const run = object(params["run"]);
    // The run's id ends with the id of the item that it is about.
    const itemId = text(run?.["id"])?.split(":").at(-1);
    const event = text(run?.["eventName"]);
    const status = text(run?.["status"]);
    const isRefusal = status === "blocked" || status === "stopped";
    const turn_id = text(params["turnId"]);
    const words = list(run?.["entries"])
      .flatMap((entry) => text(object(entry)?.["text"]) ?? [])
      .join("\n");
    // Both run after a turn started and before it takes its text.
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
    // One that failed decided nothing, and `preToolUse` can only refuse (measured).
    if (status !== "completed" || event === "preToolUse") return undefined;
    silent.set(key, { turn_id, hooks: [...(silent.get(key)?.hooks ?? []), hook] });
    const [oldest] = silent.keys();
    if (silent.size > limits.wire.openChangesMax && oldest !== undefined) silent.delete(oldest);
    return undefined;
  }

  function itemSaid(method: string, thread: string, params: Json): AgentEvent | undefined {
    const item = itemFacts(params["item"]);
    if (!item) return undefined;
    const isOver = method === "item/completed";
    if (item.type === "mcp_tool_call") {
      const here = tools.get(thread) ?? new Set();
      if (isOver) here.delete(item.id);
      else here.add(item.id);
      if (here.size > 0) tools.set(thread, here);
      else tools.delete(thread);
    }
    const key = `${thread} ${item.id}`;
    const found = silent.get(key);
    // A command that waits for an answer starts as the agent's; one that runs, as its process (measured).
    const runs = text(object(params["item"])?.["source"]) === "unifiedExecStartup";
    if (!found || !(isOver || runs)) return undefined;
    silent.delete(key);
    if (item.status === "declined") return undefined;
    const decided = { decision: "approve" as const, hooks: found.hooks, words: null };
    const about = { thread_id: thread, turn_id: found.turn_id ?? text(params["turnId"]), item_id: item.id };
    return { kind: "hook_decided", ...about, item, ...decided };
  }

  /** Somebody else decides: the client, or Codex's reviewer. */
  function asked(thread: string, itemId: string | null): void {
    if (itemId !== null) silent.delete(`${thread} ${itemId}`);
    else for (const tool of tools.get(thread) ?? []) silent.delete(`${thread} ${tool}`);
  }

  return {
    note(method, thread, params) {
      if (method === "hook/completed") return ended(thread, params);
      if (method === "item/started" || method === "item/completed") return itemSaid(method, thread, params);
      if (questions.has(method)) asked(thread, text(params["itemId"]));
      else if (method.startsWith("item/autoApprovalReview/")) asked(thread, text(params["targetItemId"]));
      // A turn that is cut leaves tools that never complete.
      else if (method === "turn/completed" || method === "thread/closed") tools.delete(thread);
      return undefined;
    },
  };
}
