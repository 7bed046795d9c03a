/** What Codex warns of: its configuration, a thread, an MCP server of the user that does not start. */
import { type Json, text } from "./read.ts";

export interface Warning {
  /** Null: it is about Codex itself, or about every thread. */
  thread_id: string | null;
  /** The MCP server that it is about. */
  server: string | null;
  /** Null: that server works now. */
  words: string | null;
}

/** Undefined: the notification is no warning. A server that only begins to start is none. */
export function warningOf(method: string, params: Json): Warning | undefined {
  const thread_id = text(params["threadId"]);
  if (method === "configWarning" || method === "deprecationNotice") {
    const said = [text(params["summary"]), text(params["details"])].filter((part) => part !== null);
    return { thread_id: null, server: null, words: said.join(" ") || `a ${method} without words` };
  }
  if (method === "warning" || method === "guardianWarning")
    return { thread_id, server: null, words: text(params["message"]) ?? `a ${method} without words` };
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
