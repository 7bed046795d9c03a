/** What a question of Codex's asks beyond a command and a diff, read tolerantly from its params. */
import type { FormRequest, Question, RequestDetails, ToolCall } from "../core/model/ports/request.ts";
import { type Json, list, object, text } from "./read.ts";

export function asksOf(params: Json): RequestDetails {
  const meta = object(params["_meta"]);
  return {
    reason: text(params["reason"]),
    action: text(params["kind"]),
    permissions: object(params["permissions"]) ?? object(params["additionalPermissions"]) ?? null,
    network: networkOf(params["networkApprovalContext"]),
    grant_root: text(params["grantRoot"]),
    questions: Array.isArray(params["questions"]) ? params["questions"].flatMap(question) : null,
    tool: toolOf(params, meta),
    form: isToolApproval(params) ? null : formOf(params),
    sub_agent: null,
    may_persist: list(meta?.["persist"]).includes("session"),
  };
}

/** An MCP server's tool that is to be run: asked in the form of an elicitation, which it is not (measured). */
export function isToolApproval(params: Json): boolean {
  return object(params["_meta"])?.["codex_approval_kind"] === "mcp_tool_call";
}

function question(value: unknown): Question[] {
  const asked = object(value);
  const id = text(asked?.["id"]);
  if (asked === undefined || id === null) return [];
  const options = list(asked["options"]).flatMap((one) => {
    const label = text(object(one)?.["label"]);
    return label === null ? [] : [{ label, description: text(object(one)?.["description"]) ?? "" }];
  });
  return [
    {
      id,
      header: text(asked["header"]) ?? "",
      question: text(asked["question"]) ?? "",
      options: options.length > 0 ? options : null,
      is_other: asked["isOther"] === true,
      is_secret: asked["isSecret"] === true,
    },
  ];
}

/**
 * Of an MCP server, or a tool that the client itself was to offer. Up to 0.166 Codex does not name the server's tool but
 * in its message (measured): no rule matches such a question, so a person is asked.
 */
function toolOf(params: Json, meta: Json | undefined): ToolCall | null {
  const name = isToolApproval(params) ? text(meta?.["tool_name"]) : text(params["tool"]);
  if (name === null) return null;
  return {
    server: text(params["serverName"]) ?? text(params["namespace"]),
    name,
    description: text(meta?.["tool_description"]),
    arguments: meta?.["tool_params"] ?? params["arguments"] ?? null,
  };
}

function formOf(params: Json): FormRequest | null {
  const mode = text(params["mode"]);
  if (mode === null) return null;
  return {
    mode,
    server: text(params["serverName"]) ?? "",
    message: text(params["message"]) ?? text(params["title"]) ?? "",
    schema: object(params["requestedSchema"]) ?? null,
    url: text(params["url"]),
  };
}

function networkOf(value: unknown): RequestDetails["network"] {
  const network = object(value);
  const host = text(network?.["host"]);
  return host === null ? null : { host, protocol: text(network?.["protocol"]) ?? "" };
}
