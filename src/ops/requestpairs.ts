/** A question as a person reads it before the answer: all of it, or what is missing. */
import { flagOf } from "../base/decisions.ts";
import { pairs } from "../base/table.ts";
import { ago, block, cell, exact, type Look, paint } from "../base/text.ts";
import type { RequestView } from "../contract/request.ts";

export function requestPairs(request: RequestView, look: Look): string {
  const rows = [...whoAsks(request, look), ...whatIsAsked(request), ...howToAnswer(request)];
  return pairs(rows, look, true);
}

type Rows = [label: string, value: string][];

function whoAsks({ id, kind, state, thread, sub_agent, asked_at }: RequestView, look: Look): Rows {
  return [
    ["request", `${paint("bold", id)}  ${cell(kind)}, ${state}`],
    ["thread", `${thread}${sub_agent ? `, its sub-agent ${cell(sub_agent)}` : ""}`],
    ["asked", ago(asked_at, look)],
  ];
}

function whatIsAsked(request: RequestView): Rows {
  const { kind, command, cwd, changes, diff, reason, permissions, network, tool, form, questions } = request;
  const rows: Rows = [];
  if (command !== null) rows.push(["command", exact(command)]);
  if (cwd !== null) rows.push(["cwd", exact(cwd)]);
  if (request.outside_sandbox && kind.endsWith("_approval")) rows.push(["sandbox", outsideWords(kind)]);
  if (changes) rows.push(["files", changes.map(changeLine).join("\n")]);
  else if (kind === "file_change_approval")
    rows.push(["files", paint("yellow", "not known: Codex did not say which, so no rule approves it")]);
  if (diff !== null) rows.push(["diff", block(diff.replace(/\n$/, ""))]);
  if (tool) {
    rows.push(["tool", exact([tool.server, tool.name].filter((word) => word !== null).join("/"))]);
    rows.push(["with", json(tool.arguments)]);
    if (tool.description) rows.push(["it says", exact(tool.description)]);
  }
  if (permissions) rows.push(["asks for", json(permissions)]);
  if (network) rows.push(["network", exact(`${network.protocol} ${network.host}`)]);
  if (form) {
    rows.push(["asks", exact(form.message)], ["server", exact(form.server)]);
    if (form.url) rows.push(["page", exact(form.url)]);
    if (form.schema) rows.push(["fields", json(form.schema)]);
  }
  for (const { id, header, question, options, is_secret } of questions ?? []) {
    const choices = (options ?? []).map(
      ({ label, description }) => `\n  ${exact(label)}: ${exact(description)}`,
    );
    const title = header === "" ? "" : `${exact(header)}: `;
    rows.push([cell(id), `${title}${exact(question)}${is_secret ? " (secret)" : ""}${choices.join("")}`]);
  }
  if (reason) rows.push(["because", exact(reason)]);
  if (!(command || diff || changes || tool || form || questions)) rows.push(["asks", exact(request.summary)]);
  return rows;
}

/** Measured: under every approval policy an approved command may leave the sandbox. */
function outsideWords(kind: string): string {
  return paint("yellow", outside[kind] ?? "approved, it may happen outside the sandbox");
}

const outside: Record<string, string> = {
  command_approval: "approved, it may run outside the sandbox",
  file_change_approval: "approved, it may write outside the sandbox",
  permissions_approval: "approved, the sandbox allows more",
  mcp_tool_approval: "an MCP tool runs outside the sandbox",
};

function howToAnswer(request: RequestView): Rows {
  const { id, state, expires_at, decision, answered_by, truncated, missing_bytes } = request;
  const rows: Rows = [];
  if (expires_at) rows.push(["until", cell(expires_at)]);
  if (truncated) {
    const bytes = missing_bytes > 0 ? `${missing_bytes} bytes of it` : "part of it";
    rows.push(["missing", paint("red", `${bytes} were over the limit, and are not shown here`)]);
  }
  if (decision) rows.push(["answer", `${cell(decision)} by ${cell(answered_by)}`]);
  else if (state === "open") {
    // Not as one line to be copied: a shell takes `--approve | --deny` for an approval, piped.
    const ways = waysOf(request).map(flagOf).join(", ");
    rows.push(["answer", `${paint("bold", `dispatch request answer ${id}`)} with one of\n${ways}`]);
  }
  return rows;
}

/** A yes is offered only beside the whole of what it is said to. */
function waysOf({ options, truncated }: RequestView): string[] {
  const noes = options.filter((option) => !option.startsWith("approve"));
  return truncated && noes.length > 0 ? noes : options;
}

/** In quotes where the name has blanks: it could read as two, or as other words of the line. */
export function changeLine({ path, kind, to }: { path: string; kind: string; to: string | null }): string {
  const name = (one: string) => exact(/[\s"]/.test(one) ? JSON.stringify(one) : one);
  return `${kind} ${name(path)}${to === null ? "" : ` to ${name(to)}`}`;
}

function json(value: unknown): string {
  return exact(JSON.stringify(value, null, 2) ?? "null");
}
