import * as v from "valibot";
import { block, paint } from "../../base/text.ts";
import { flag, idempotencyKey, seconds, selector, text } from "../fields.ts";
import { op } from "../op.ts";
import { receiptView, threadObject } from "../shapes.ts";
import { callerName, exitOf, verdict } from "../verdict.ts";
import { receiptPairs } from "../views.ts";

export default op({
  name: "message.send",
  cli: "send",
  group: "message",
  summary: "Send a text to an idle thread: it starts a turn",
  about: `Refused, with nothing stored, while a turn runs, a question is open or Codex is down. Otherwise the text is stored
before Codex hears of it, and the receipt says how far it got. The text is never interpreted.`,
  intent: "write",
  repeat: "keyed",
  input: v.strictObject({
    thread: selector(),
    text: text("the text; - reads it from stdin", { arg: true }),
    wait: v.optional(flag(v.boolean(), "stay until its turn is over, and show the answer"), false),
    timeout: v.optional(seconds("with --wait: give up after this long")),
    idempotency_key: v.optional(idempotencyKey()),
  }),
  output: v.object({
    ...receiptView,
    message_accepted: v.boolean(),
    threads: v.optional(v.array(threadObject)),
    timed_out: v.optional(v.boolean()),
    last_message: v.optional(v.nullable(v.string())),
    verdict: v.optional(verdict),
  }),
  fails: [
    "usage",
    "not_found",
    "lane_busy",
    "needs_answer",
    "authority",
    "turn_failed",
    "agent_down",
    "conflict",
    "unsure",
    "timeout",
    "too_large",
    "storage",
    "daemon_down",
    "agent",
    "denied",
  ],
  examples: [
    {
      given: "two threads",
      input: { thread: "@docs", text: "hello" },
      output: { message_accepted: true, mode: "send", attempt: 1 },
    },
    {
      given: "two threads",
      input: { thread: "@docs", text: "hello", wait: true },
      output: { state: "done", outcome: "completed", last_message: "ok: hello" },
    },
    { given: "a running turn", input: { thread: "@docs", text: "hello" }, error: "lane_busy" },
    { given: "an open request", input: { thread: "@docs", text: "hello" }, error: "needs_answer" },
    { given: "Codex is down", input: { thread: "@docs", text: "hello" }, error: "agent_down" },
  ],
  async run({ thread, text: body, wait, timeout, idempotency_key }, { core, caller, signal, emit }) {
    const ref = core.resolve(thread, caller.thread_id);
    const draft = {
      text: body,
      mode: "send" as const,
      key: idempotency_key ?? null,
      cause_id: null,
      depth: 0,
      caller: callerName(caller),
    };
    const receipt = await core.send(ref, draft, signal);
    if (!wait) return { ...receipt, message_accepted: true };
    const waited = await core.wait({
      targets: [receipt.receipt],
      self: null,
      condition: "done",
      any: false,
      timeoutMs: timeout === undefined ? null : timeout * 1000,
      signal,
      progress: (waiting) => emit({ waiting }),
    });
    const last = core.view(ref).last_message;
    const now = core.receipt(receipt.receipt);
    return {
      ...now,
      message_accepted: true,
      ...waited,
      last_message: last && last.turn_id === now.turn_id ? last.text : null,
    };
  },
  exit: (out) => exitOf(out.verdict),
  view(out, look) {
    if (out.verdict === undefined) return receiptPairs(out, look);
    const said = out.last_message ? block(out.last_message) : paint("yellow", out.verdict.replace("_", " "));
    return `${receiptPairs(out, look)}\n\n${said}`;
  },
});
