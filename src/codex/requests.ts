/** Turns a request of Codex into core's request. Core decides and answers through `reply`. */
import type { RequestKind } from "../contract/words.ts";
import type { RequestFacts } from "../core/model/ports/request.ts";
import { asksOf, isToolApproval } from "./asks.ts";
import { patchOf } from "./changes.ts";
import type { StreamMemory } from "./memory.ts";
import { type Json, list, number, row, text } from "./read.ts";

const kinds: Record<string, RequestKind> = {
  "item/commandExecution/requestApproval": "command_approval",
  execCommandApproval: "command_approval",
  "item/fileChange/requestApproval": "file_change_approval",
  applyPatchApproval: "file_change_approval",
  "item/permissions/requestApproval": "permissions_approval",
  "item/tool/requestUserInput": "user_input",
  "mcpServer/elicitation/request": "elicitation",
  "item/tool/call": "tool_call",
  "currentTime/read": "current_time",
};

/** Every other method (attestation/generate, account/chatgptAuthTokens/refresh, new ones) has the kind `other`. */
export function requestFacts(
  rpc_id: string | number,
  method: string,
  params: Json,
  memory: StreamMemory,
): RequestFacts {
  // The two methods of the first protocol use conversationId and callId.
  const thread_id = text(params["threadId"]) ?? text(params["conversationId"]);
  const item_id = text(params["itemId"]) ?? text(params["callId"]);
  const kind = row(kinds, method) ?? "other";
  return {
    rpc_id,
    method,
    kind: kind === "elicitation" && isToolApproval(params) ? "mcp_tool_approval" : kind,
    thread_id,
    turn_id: text(params["turnId"]),
    item_id,
    command: commandOf(params),
    cwd: text(params["cwd"]),
    changes: patchOf(params["fileChanges"]) ?? memory.changesOf(thread_id, item_id),
    asks: asksOf(params),
    auto_resolution_ms: number(params["autoResolutionMs"]),
  };
}

function commandOf(params: Json): string | null {
  const words = list(params["command"]).filter((part) => typeof part === "string");
  return words.length > 0 ? words.join(" ") : text(params["command"]);
}
