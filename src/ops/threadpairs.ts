/** One thread, as `get` shows it to a person. */
import { pairs } from "../base/table.ts";
import { ago, block, cell, type Look, paint, span } from "../base/text.ts";
import type { PastTurn, ThreadView } from "../contract/thread.ts";
import { statusWord } from "./views.ts";

/** `turns`: the newest, as a time line. */
export function threadPairs(thread: ThreadView, look: Look, turns: readonly PastTurn[] = []): string {
  const { latest_turn: latest, queue, tokens, model } = thread;
  const rows: [string, string][] = [
    [
      "thread",
      `${paint("bold", thread.ref)}  ${cell(thread.title)}${thread.handle ? `  @${cell(thread.handle)}` : ""}`,
    ],
    ["status", `${statusWord(thread)}  (${thread.confidence}, seen ${ago(thread.as_of, look)})`],
    ["id", thread.id ? `codex://threads/${cell(thread.id)}` : "not durable yet"],
    ["cwd", cell(thread.cwd)],
  ];
  if (thread.write_locked_reason) rows.push(["locked", cell(thread.write_locked_reason)]);
  if (latest) {
    const how = latest.error ? `: ${cell(latest.error.message)}` : "";
    const reason = latest.retrying_reason ? `: ${cell(latest.retrying_reason)}` : "";
    const since = latest.retrying_since
      ? `, retrying since ${ago(latest.retrying_since, look)}${reason}`
      : "";
    rows.push([
      "turn",
      `${latest.status}${how}, ${latest.origin}, ${ago(latest.completed_at ?? latest.started_at, look)}${since}`,
    ]);
  }
  if (thread.blocked) {
    const { reason, hint } = thread.blocked;
    rows.push(["blocked", `${cell(reason)}\n${paint("bold", cell(hint))}`]);
  }
  if (thread.limited) rows.push(["limited", limitLine(thread.limited, look)]);
  if (queue.pending > 0 || queue.reason) {
    // A limit has its own row.
    const why =
      queue.reason && (queue.held || !thread.limited)
        ? `, ${queue.held ? "held: " : ""}${cell(queue.reason.replaceAll("_", " "))}`
        : "";
    const release = queue.release ? `\n${paint("bold", cell(queue.release))}` : "";
    rows.push(["queue", `${queue.pending} waiting${why}${release}`]);
  }
  // A summary is not enough to decide on: only `request get` shows the whole question.
  for (const { id, summary } of thread.requests)
    rows.push(["asks", `${cell(summary)}\n${paint("bold", `dispatch request get ${id}`)}`]);
  if (thread.agents.length > 0)
    rows.push([
      "agents",
      `${thread.agents.length} working: ${thread.agents.map((id) => cell(id)).join(", ")}`,
    ]);
  if (thread.goal) {
    const { status, objective, resume, waits } = thread.goal;
    const next = resume ? `\ninterrupted; continue with: ${paint("bold", cell(resume))}` : "";
    rows.push(["goal", `${cell(status)}${waits ? `, ${waits}` : ""}: ${cell(objective)}${next}`]);
  }
  for (const warning of thread.warnings) rows.push([paint("yellow", "warning"), cell(warning)]);
  const chosen = [model.model, model.effort, model.provider].filter((word) => word !== null);
  rows.push(["model", chosen.map((word) => cell(word)).join(" / ") || "-"]);
  const answers = thread.request_policy ? `, questions: ${thread.request_policy}` : "";
  rows.push([
    "rights",
    `sandbox ${cell(thread.sandbox)}${sandboxExtras(thread)}, approvals ${cell(thread.approval_policy)}${answers}`,
  ]);
  if (thread.tools)
    rows.push(["tools", `${cell(thread.tools)}${thread.writable ? "" : ", while dispatch writes it"}`]);
  if (tokens)
    rows.push([
      "tokens",
      `${tokens.total}${tokens.context_window ? ` (window ${tokens.context_window})` : ""}`,
    ]);
  if (turns.length > 0) rows.push(["turns", turns.map((turn) => turnLine(turn, look)).join("\n")]);
  if (thread.last_message) rows.push(["says", block(thread.last_message.text)]);
  return pairs(rows, look);
}

/** `5m ago   completed in 34s, ours`. */
function turnLine({ status, origin, error, started_at, completed_at }: PastTurn, look: Look): string {
  const took = completed_at === null ? null : (Date.parse(completed_at) - Date.parse(started_at)) / 1000;
  const isBad = status === "failed" || status === "interrupted";
  const word = status === "in_progress" ? paint("cyan", "running") : isBad ? paint("red", status) : status;
  const how = `${word}${took === null ? "" : ` ${isBad ? "after" : "in"} ${span(Math.round(took))}`}, ${origin}`;
  return `${ago(started_at, look).padEnd(9)} ${how}${error ? `: ${cell(error)}` : ""}`;
}

/** A usage limit in one line. */
export function limitLine({ until, reason }: { until: string; reason: string }, look: Look): string {
  return `until ${until} (${ago(until, look)}): ${cell(reason)}`;
}

/** What a workspace-write sandbox allows besides its folder. */
function sandboxExtras({ sandbox, sandbox_details: details }: ThreadView): string {
  if (sandbox !== "workspace-write" || !details) return "";
  const roots = details.writable_roots.map((root) => ` + ${cell(root)}`).join("");
  return `${roots}${details.network_access ? " + network" : ""}`;
}
