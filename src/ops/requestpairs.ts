/** Formats a question for the person who answers it: completely, or with a note of what is missing. */
import { flagOf } from "../base/decisions.ts";
import { pairs } from "../base/table.ts";
import { ago, block, cell, exact, type Look, paint } from "../base/text.ts";
import type { RequestView } from "../contract/request.ts";
import type { RequestKind } from "../contract/words.ts";

/** `hasCommand`: with the command that answers it, which a surface with keys of its own leaves out. */
export function requestPairs(
  request: RequestView,
  look: Look,
  { hasCommand } = { hasCommand: true },
): string {
  const rows = [...whoAsks(request, look), ...whatIsAsked(request), ...howToAnswer(request, hasCommand)];
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
  const { grant_root } = request;
  const rows: Rows = [];
  if (command !== null) rows.push(["command", exact(command)]);
  if (cwd !== null) rows.push(["cwd", exact(cwd)]);
  if (request.outside_sandbox && kind.endsWith("_approval")) rows.push(["sandbox", outsideNote(kind)]);
  if (changes) rows.push(["files", changes.map(changeLine).join("\n")]);
  else if (kind === "file_change_approval")
    rows.push(["files", paint("yellow", "not known: Codex did not name them, so no rule approves it")]);
  if (grant_root !== null)
    rows.push(["grants", paint("yellow", `writing below ${exact(grant_root)} from then on`)]);
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

/** Under every approval policy an approved command may run outside the sandbox (facts F42). */
function outsideNote(kind: RequestKind): string {
  return paint("yellow", outside[kind]);
}

const inDoubt = "if approved, it may happen outside the sandbox";
const outside: Record<RequestKind, string> = {
  command_approval: "if approved, it may run outside the sandbox",
  file_change_approval: "if approved, it may write outside the sandbox",
  permissions_approval: "if approved, the sandbox allows more",
  mcp_tool_approval: "an MCP tool runs outside the sandbox",
  user_input: inDoubt,
  elicitation: inDoubt,
  tool_call: inDoubt,
  current_time: inDoubt,
  other: inDoubt,
};

function howToAnswer(request: RequestView, hasCommand: boolean): Rows {
  const { id, state, expires_at, decision, answered_by, truncated, missing_bytes } = request;
  const rows: Rows = [];
  if (expires_at) rows.push(["until", cell(expires_at)]);
  if (truncated) {
    const bytes = missing_bytes > 0 ? `${missing_bytes} bytes of it` : "part of it";
    rows.push(["missing", paint("red", `${bytes} were over the limit and are not shown`)]);
  }
  if (decision) rows.push(["answer", `${cell(decision)} by ${cell(answered_by)}`]);
  else if (state === "open" && hasCommand) {
    // Not as one line to copy: a shell would run `--approve | --deny` as an approval with a pipe.
    const flags = offeredOptions(request).map(flagOf).join(", ");
    rows.push(["answer", `${paint("bold", `dispatch request answer ${id}`)} with one of\n${flags}`]);
  }
  return rows;
}

/** An approval is offered only if the question is shown completely. */
export function offeredOptions({ options, truncated }: RequestView): string[] {
  const refusals = options.filter((option) => !option.startsWith("approve"));
  return truncated && refusals.length > 0 ? refusals : options;
}

/** One changed file. A path with spaces or quotes is quoted, so that it cannot be read as several words. */
export function changeLine({ path, kind, to }: { path: string; kind: string; to: string | null }): string {
  const name = (file: string) => exact(/[\s"]/.test(file) ? JSON.stringify(file) : file);
  return `${kind} ${name(path)}${to === null ? "" : ` to ${name(to)}`}`;
}

function json(value: unknown): string {
  return exact(JSON.stringify(value, null, 2) ?? "null");
}
