/** The tools of `dispatch_v1`: the op that each calls, and the short result that the model reads. */
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { type ToolText, toolsV1 } from "../../contract/tools.ts";

type Json = Record<string, unknown>;

export interface ToolUse {
  /** The name of the op. */
  op: string;
  input: Json;
  result(out: Json): Json;
}

export interface ThreadTool {
  text: ToolText;
  /** `key` identifies the call: an op that takes a key does its work once for it. */
  use(args: Json, key: string | null): ToolUse;
}

export const v1: Readonly<Record<string, ThreadTool>> = {
  dispatch_new: {
    text: toolsV1.dispatch_new,
    use: (args, key) => ({
      op: "thread.new",
      input: { ...args, ...keyed(key) },
      result: ({ ref, title, handle, receipt }) =>
        filled({ ref, title, handle: handle === null ? null : `@${handle}`, receipt }),
    }),
  },
  dispatch_send: {
    text: toolsV1.dispatch_send,
    use: (args, key) => ({
      op: "message.send",
      input: { ...args, ...keyed(key) },
      result: ({ receipt, thread, state, held, error }) => filled({ receipt, thread, state, held, error }),
    }),
  },
  dispatch_wait: {
    text: toolsV1.dispatch_wait,
    use({ timeout = limits.tool.waitMs / 1000, ...args }) {
      return {
        op: "thread.wait",
        input: { ...args, timeout },
        result: ({ verdict, timed_out, threads }) => ({
          verdict,
          threads: rows(threads).map(waited),
          ...filled({ next: nextAfter(String(verdict), timed_out === true, timeout) }),
        }),
      };
    },
  },
  dispatch_list: {
    text: toolsV1.dispatch_list,
    use: ({ limit = limits.tool.threads, ...args }) => ({
      op: "thread.list",
      input: { ...args, limit },
      result: ({ threads, truncated }) => ({
        threads: rows(threads).map(listed),
        ...(truncated === true ? { more: true } : {}),
      }),
    }),
  },
  dispatch_inbox: { text: toolsV1.dispatch_inbox, use: inbox },
};

const inboxFields: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["list", []],
  ["ack", ["ids"]],
  ["post", ["text", "thread"]],
]);

function inbox({ action = "list", ids, text, thread, ...args }: Json): ToolUse {
  const given = filled({ ids, text, thread });
  const allowed = inboxFields.get(action);
  if (!allowed) fail("usage", `action is list, ack or post, not ${JSON.stringify(action)}`);
  const stray = Object.keys(given).find((name) => !allowed.includes(name));
  if (stray !== undefined) fail("usage", `action ${String(action)} takes no ${stray}`);
  if (action === "list")
    return {
      op: "inbox.list",
      input: args,
      result: ({ messages, truncated }) => ({
        messages: rows(messages).map(({ id, from, text, created_at }) => ({
          id,
          from,
          text,
          at: created_at,
        })),
        ...(truncated === true ? { more: true } : {}),
      }),
    };
  if (action === "ack") {
    if (ids === undefined) fail("usage", "action ack needs ids", { hint: "dispatch inbox list" });
    return {
      op: "inbox.ack",
      input: given,
      result: ({ messages }) => ({ acked: rows(messages).map(({ id }) => id) }),
    };
  }
  if (text === undefined) fail("usage", "action post needs text");
  return { op: "inbox.post", input: given, result: ({ id }) => ({ posted: id }) };
}

/** A thread that works has said nothing final: only what ended is quoted. */
function waited({ ref, title, status, last_message, latest_turn, requests, blocked, queue }: Json): Json {
  const isOver = status !== "busy" && status !== "unknown";
  const turn = latest_turn as { error: { message: string } | null } | null;
  return filled({
    ref,
    title,
    status,
    last_message: isOver ? ((last_message as Json | null)?.["text"] ?? null) : null,
    error: turn?.error?.message ?? null,
    asks: rows(requests).map(({ id, summary }) => `${String(id)}: ${String(summary)}`),
    blocked: (blocked as Json | null)?.["reason"] ?? null,
    held: (queue as Json)["reason"],
  });
}

function listed({ ref, title, handle, status, asks, queue, last }: Json): Json {
  const { pending } = queue as { pending: number };
  return filled({
    ref,
    title,
    handle: handle === null ? null : `@${handle}`,
    status,
    asks,
    queued: pending > 0 ? pending : null,
    last,
  });
}

function nextAfter(verdict: string, isTimedOut: boolean, timeout: unknown): string | null {
  if (isTimedOut)
    return `not all of them after ${String(timeout)} s: call dispatch_wait again, or end your turn; they go on working`;
  if (verdict === "needs_answer") return "a person answers what it asks; then call dispatch_wait again";
  return null;
}

function keyed(key: string | null): Json {
  return key === null ? {} : { idempotency_key: key };
}

function rows(value: unknown): Json[] {
  return value as Json[];
}

/** Without the fields that say nothing. */
function filled(row: Json): Json {
  const isSaid = (value: unknown) => value !== null && value !== undefined && !isEmpty(value);
  return Object.fromEntries(Object.entries(row).filter(([, value]) => isSaid(value)));
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
