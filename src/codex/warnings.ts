/** Reads Codex's warnings: about its configuration, a thread, or an MCP server that does not start. */
import { type Json, text } from "./read.ts";

export interface Warning {
  /** Null when it is about Codex itself or about every thread. */
  thread_id: string | null;
  /** The MCP server that it is about. */
  server: string | null;
  /** Null when that server works now. */
  words: string | null;
}

/** Undefined when the notification is not a warning, as for a server that is starting. */
export function warningOf(method: string, params: Json): Warning | undefined {
  const thread_id = text(params["threadId"]);
  if (method === "configWarning" || method === "deprecationNotice") {
    const lines = [text(params["summary"]), text(params["details"])].filter((part) => part !== null);
    return { thread_id: null, server: null, words: lines.join(" ") || `a ${method} without a message` };
  }
  if (method === "warning" || method === "guardianWarning")
    return { thread_id, server: null, words: text(params["message"]) ?? `a ${method} without a message` };
  if (method === "mcpServer/startupStatus/updated") return serverWarning(params, thread_id);
  return undefined;
}

function serverWarning(params: Json, thread_id: string | null): Warning | undefined {
  const [server, status] = [text(params["name"]), text(params["status"])];
  if (server === null) return undefined;
  if (status === "ready") return { thread_id, server, words: null };
  if (status !== "failed") return undefined;
  return { thread_id, server, words: text(params["error"]) ?? `MCP server ${server} did not start` };
}
