/** The details of a question of Codex, besides its command and its diff. Unknown fields are ignored. */
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

/** True for the approval of an MCP tool. Codex sends it in the form of an elicitation (facts F44). */
export function isToolApproval(params: Json): boolean {
  return object(params["_meta"])?.["codex_approval_kind"] === "mcp_tool_call";
}

function question(value: unknown): Question[] {
  const fields = object(value);
  const id = text(fields?.["id"]);
  if (fields === undefined || id === null) return [];
  const options = list(fields["options"]).flatMap((option) => {
    const label = text(object(option)?.["label"]);
    return label === null ? [] : [{ label, description: text(object(option)?.["description"]) ?? "" }];
  });
  return [
    {
      id,
      header: text(fields["header"]) ?? "",
      question: text(fields["question"]) ?? "",
      options: options.length > 0 ? options : null,
      is_other: fields["isOther"] === true,
      is_secret: fields["isSecret"] === true,
    },
  ];
}

/**
 * The tool of an MCP server, or a tool that the client should provide. Up to 0.166 Codex names the server's tool only in
 * the message (facts F44): then no rule matches, and a person is asked.
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
