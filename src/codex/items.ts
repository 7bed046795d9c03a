/** Turns an item of Codex into core's item. */
import type { FileChange } from "../core/model/ports/filechange.ts";
import type { ItemFacts } from "../core/model/ports/thread.ts";
import { changesOf } from "./changes.ts";
import { type Json, list, number, object, row, text } from "./read.ts";

const types: Record<string, ItemFacts["type"]> = {
  userMessage: "user_message",
  agentMessage: "agent_message",
  reasoning: "reasoning",
  plan: "plan",
  commandExecution: "command",
  fileChange: "file_change",
  mcpToolCall: "mcp_tool_call",
  dynamicToolCall: "tool_call",
  webSearch: "web_search",
  contextCompaction: "context_compaction",
};

/** `at` is the time of the notification (ms), for an item without its own time. Undefined without an id or a type. */
export function itemFacts(value: unknown, at: number | null = null): ItemFacts | undefined {
  const item = object(value);
  const id = text(item?.["id"]);
  const kind = text(item?.["type"]);
  if (item === undefined || id === null || kind === null) return undefined;
  const changes = kind === "fileChange" ? changesOf(item["changes"]) : null;
  return {
    id,
    type: row(types, kind) ?? "other",
    text: textOf(kind, item, changes),
    command: commandOf(kind, item),
    arguments: isToolCall(kind) ? argumentsOf(item["arguments"]) : null,
    exit_code: number(item["exitCode"]),
    path: text(object(list(item["changes"])[0])?.["path"]),
    changes,
    status: text(item["status"]),
    client_id: text(item["clientId"]),
    at: number(item["completedAtMs"]) ?? number(item["startedAtMs"]) ?? at,
  };
}

function textOf(kind: string, item: Json, changes: readonly FileChange[] | null): string {
  switch (kind) {
    case "userMessage":
      return texts(item["content"], "text").join("");
    case "reasoning":
      return [...strings(item["summary"]), ...strings(item["content"])].join("\n");
    case "commandExecution":
      return text(item["aggregatedOutput"]) ?? "";
    case "fileChange":
      return changes?.map(({ diff }) => diff).join("") ?? texts(item["changes"], "diff").join("\n");
    case "mcpToolCall":
      return (
        text(object(item["error"])?.["message"]) ??
        texts(object(item["result"])?.["content"], "text").join("\n")
      );
    case "dynamicToolCall":
      return texts(item["contentItems"], "text").join("\n");
    case "webSearch":
      return text(item["query"]) ?? "";
    default:
      return text(item["text"]) ?? "";
  }
}

const isToolCall = (kind: string) => kind === "mcpToolCall" || kind === "dynamicToolCall";

function argumentsOf(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}

/** The command that ran. For a tool call, the name of the tool. */
function commandOf(kind: string, item: Json): string | null {
  if (kind === "mcpToolCall") return `${text(item["server"]) ?? ""}.${text(item["tool"]) ?? ""}`;
  if (kind === "dynamicToolCall") return text(item["tool"]);
  return text(item["command"]);
}

function texts(parts: unknown, field: string): string[] {
  return list(parts).flatMap((part) => text(object(part)?.[field]) ?? []);
}

function strings(parts: unknown): string[] {
  return list(parts).filter((part) => typeof part === "string");
}
