/**
 * The essential part of a result. MCP shows it by default, because every field costs an agent's context; `verbose: true`
 * shows the whole. What is null or empty is left out by the surface.
 */
import type { Receipt } from "../contract/receipt.ts";
import type { RequestView } from "../contract/request.ts";
import type { ThreadSummary, ThreadView } from "../contract/thread.ts";

type Row = Record<string, unknown>;

export interface LeanLook {
  /** Wall clock, ms. */
  now: number;
  /** True when this agent has not been shown the last message of that turn yet. */
  isNews(thread: string, turn: string): boolean;
}

/** A thread after a change of it: nothing but what the change did is news. */
export function leanThread(thread: ThreadView): Row {
  const { ref, title, setup, status, latest_turn, queue, blocked, limited, agents } = thread;
  const isBad = latest_turn?.status === "failed" || latest_turn?.status === "interrupted";
  return {
    ref,
    title,
    status: setup ?? status,
    error: latest_turn?.error?.message ?? (isBad ? latest_turn.status : null),
    queued: queue.pending || null,
    held: queue.held ? queue.reason : null,
    release: queue.release,
    blocked,
    limited_until: limited?.until,
    agents: agents.length || null,
    retrying: latest_turn?.status === "in_progress" ? latest_turn.retrying_reason : null,
  };
}

/** A thread that was waited for: with its last message once, and what it asks. */
export function leanWaited(thread: ThreadView, asks: readonly RequestView[], look: LeanLook): Row {
  const { last_message, latest_turn, ref } = thread;
  const isOver = latest_turn !== null && latest_turn.status !== "in_progress";
  const isNews = isOver && last_message?.turn_id === latest_turn.id && look.isNews(ref, latest_turn.id);
  return {
    ...leanThread(thread),
    last_message: isNews ? last_message.text : null,
    asks: asks.filter((one) => one.thread === ref).map(({ thread: _, ...one }) => leanRequest(one)),
  };
}

export function leanSummary(thread: ThreadSummary, look: LeanLook): Row {
  const { ref, title, setup, status, queue, asks, agents, retrying, limited_until, goal, last, last_at } =
    thread;
  return {
    ref,
    title,
    status: setup ?? status,
    last,
    age: last_at === null ? null : ageOf(look.now - Date.parse(last_at)),
    queued: queue.pending || null,
    held: queue.held ? queue.reason : null,
    blocked: queue.blocked,
    asks,
    agents: agents || null,
    retrying: retrying || null,
    limited_until,
    goal,
  };
}

function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)}h` : `${Math.round(seconds / 86_400)}d`;
}

export function leanReceipt(receipt: Receipt): Row {
  const { receipt: id, thread, state, outcome, held, release, waits, error, caveat } = receipt;
  return {
    receipt: id,
    thread,
    state,
    outcome: outcome === "completed" ? null : outcome,
    held,
    release,
    waits,
    error: error === null ? null : `${error.code}: ${error.message}`,
    caveat,
  };
}

/** A question, with the names of the arguments that answer it. One that is not whole here is decided on elsewhere. */
export function leanRequest(request: Omit<RequestView, "thread"> & { thread?: string }): Row {
  const { id, thread, kind, state, summary, reason, command, cwd, outside_sandbox, truncated } = request;
  const { changes, grant_root, permissions, network, questions, tool, form, options, answered_by, decision } =
    request;
  const isOpen = state === "open";
  return {
    id,
    thread,
    kind,
    state: isOpen ? null : state,
    ask: command ?? (tool || questions || form ? null : summary),
    cwd,
    outside_sandbox: outside_sandbox || null,
    reason,
    changes: changes?.map(({ path, kind, to, diff }) => ({ path, kind, to, diff })),
    grant_root,
    permissions,
    network,
    tool: tool && { server: tool.server, name: tool.name, arguments: tool.arguments },
    questions: questions?.map(({ id, question, options: choices, is_secret }) => ({
      id,
      question,
      options: choices?.map(({ label }) => label),
      is_secret: is_secret || null,
    })),
    form: form && { message: form.message, schema: form.schema, url: form.url },
    options: isOpen && !truncated ? options : null,
    see: isOpen && truncated ? `dispatch request get ${id}` : null,
    answered_by,
    decision,
  };
}
