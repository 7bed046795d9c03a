import * as v from "valibot";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { block, paint } from "../../base/text.ts";
import { receiptView } from "../../contract/receipt.ts";
import { requestObject } from "../../contract/request.ts";
import { threadObject } from "../../contract/thread.ts";
import { modes } from "../../contract/words.ts";
import { envelope } from "../envelope.ts";
import { flag, idempotencyKey, type Mark, seconds, selector, text } from "../fields.ts";
import { leanReceipt, leanRequest } from "../lean.ts";
import { op } from "../op.ts";
import { overridesOf } from "../overrides.ts";
import { sendAway } from "../sendaway.ts";
import { untilDone } from "../untildone.ts";
import { asksOf, callerName, callerThread, exitOf, stillWaiting, verdict, verdictWords } from "../verdict.ts";
import { receiptPairs } from "../views.ts";

type Mode = (typeof modes)[number];
const word = (description: string, value: string, mark: Mark = {}) =>
  v.optional(flag(v.pipe(v.string(), v.nonEmpty()), description, { value, ...mark }));

export default op({
  name: "message.send",
  cli: "send",
  group: "message",
  task: "send",
  summary: "Send a text to a thread",
  about: `plain        starts a turn on an idle thread; refused, and nothing is stored, while a turn runs, a question is open or Codex is down
--queue      stores the text and delivers it later: first in, first out, one turn for each text
--steer      adds the text to the running turn; Codex discards the answer it is writing and continues with both texts
--interject  interrupts the running turn, then starts its own
--context    adds the text without starting a turn; the model sees it with the next text
The text is stored before it is sent to Codex, and the receipt shows its state. dispatch never interprets the text.`,
  intent: "write",
  // Interject ends a turn, as `stop` does, so it needs the same right.
  reach: (input) => (modesIn(input).includes("interject") ? "created" : "any"),
  repeat: "keyed",
  rare: ["mode", "service_tier", "output_schema", "untrusted"],
  input: v.strictObject({
    thread: selector(),
    text: text("the text", { arg: true }),
    queue: v.optional(flag(v.boolean(), "store it and deliver it after the texts before it"), false),
    steer: v.optional(
      flag(v.boolean(), "add it to the running turn (with --queue: if that fails, to the queue)"),
      false,
    ),
    interject: v.optional(flag(v.boolean(), "interrupt the running turn first"), false),
    context: v.optional(flag(v.boolean(), "add it without starting a turn"), false),
    mode: v.optional(flag(v.picklist(modes), "the mode by its name")),
    intro: v.optional(flag(v.boolean(), "add who sends the text and how to reply"), false),
    untrusted: v.optional(flag(v.boolean(), "mark the text as data from outside"), false),
    model: word("the model, for this turn only", "MODEL", { names: "model" }),
    effort: word("reasoning effort, for this turn only", "EFFORT", { names: "effort" }),
    service_tier: word("service tier, for this turn only", "TIER", { names: "tier" }),
    output_schema: v.optional(text("a JSON Schema for the answer of this turn")),
    wait: v.optional(flag(v.boolean(), "wait until the receipt is settled, and show the answer"), false),
    timeout: v.optional(
      seconds("with --wait: give up after this time", { agent_default: limits.mcp.waitMs / 1000 }),
    ),
    idempotency_key: v.optional(idempotencyKey()),
  }),
  output: v.object({
    ...receiptView,
    message_accepted: v.boolean(),
    threads: v.optional(v.array(threadObject)),
    asks: v.optional(v.array(requestObject)),
    timed_out: v.optional(v.boolean()),
    last_message: v.optional(v.nullable(v.string())),
    verdict: v.optional(verdict),
  }),
  asksCodex: true,
  fails: ["thread_busy", "needs_answer", "authority", "turn_failed", "conflict", "overloaded"],
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
    { given: "a running turn", input: { thread: "@docs", text: "hello" }, error: "thread_busy" },
    {
      given: "a running turn",
      input: { thread: "@docs", text: "next", queue: true },
      output: { state: "queued", mode: "queue", held: null },
    },
    {
      given: "a running turn",
      input: { thread: "@docs", text: "also", steer: true, wait: true, timeout: 0 },
      output: { mode: "steer", joined: true },
    },
    {
      given: "a running turn",
      input: { thread: "@docs", text: "stop that", interject: true, wait: true },
      output: { state: "done", last_message: "ok: stop that" },
    },
    {
      given: "two threads",
      input: { thread: "@docs", text: "by the way", context: true },
      output: { state: "done", outcome: null, mode: "context" },
    },
    { given: "two threads", input: { thread: "@docs", text: "hello", steer: true }, error: "conflict" },
    {
      given: "two threads",
      input: { thread: "@docs", text: "hello", steer: true, context: true },
      error: "usage",
    },
    { given: "two threads", input: { thread: "@docs", text: "hello", timeout: 3 }, error: "usage" },
    { given: "an open request", input: { thread: "@docs", text: "hello" }, error: "needs_answer" },
    { given: "a relay", input: { thread: "tower/@docs", text: "hello" }, output: { state: "relayed" } },
    { given: "a relay that is down", input: { thread: "tower/@docs", text: "hello" }, error: "host_down" },
    { given: "a relay that is full", input: { thread: "tower/@docs", text: "hello" }, error: "overloaded" },
    { given: "Codex is down", input: { thread: "@docs", text: "hello" }, error: "agent_down" },
    {
      given: "Codex is down",
      input: { thread: "@docs", text: "hello", queue: true },
      output: { state: "queued", message_accepted: true },
    },
    { given: "an attached thread", input: { thread: "theirs", text: "hello" }, error: "authority" },
    {
      given: "two threads",
      input: { thread: "@docs", text: '[{"fail":"no such luck"}]', wait: true },
      output: { verdict: "turn_failed", outcome: "failed" },
    },
  ],
  async run(input, { core, caller, signal, emit }) {
    if (input.timeout !== undefined && !input.wait)
      fail("usage", "--timeout needs --wait", { hint: "dispatch send --help" });
    const mode = modeOf(input);
    const away = core.away(input.thread);
    const ref = away ? null : core.resolve(input.thread, caller.thread_id);
    const sender = core.refOf(caller.thread_id);
    if (input.wait && ref !== null) core.refuseSelfWait(ref, callerThread(caller, core));
    const draft = {
      text: envelope(input, sender === null ? null : core.view(sender), away && core.relay()?.name),
      mode,
      or_queue: mode === "steer" && input.queue,
      overrides: overridesOf(input, mode),
      key: input.idempotency_key ?? null,
      cause_id: null,
      depth: 0,
      caller: callerName(caller),
    };
    if (away) return sendAway(away, input, draft, { core, caller, signal, emit });
    const receipt = await core.send(ref!, draft, signal);
    if (!input.wait) return { ...receipt, message_accepted: true };
    const waited = await untilDone(receipt.receipt, input.timeout, { core, signal, emit });
    const last = core.view(ref!).last_message;
    const now = core.receipt(receipt.receipt);
    return {
      ...now,
      message_accepted: true,
      ...waited,
      asks: asksOf(core, waited.threads),
      last_message: last && last.turn_id === now.turn_id ? last.text : null,
    };
  },
  exit: (out) => exitOf(out.verdict),
  progress: stillWaiting,
  forAgents: "Queue a message for a thread, steer a running turn, or interrupt",
  returns: "{receipt, state}; with wait: true also last_message",
  lean({ threads, asks, verdict, timed_out, last_message, ...receipt }, look) {
    const settled = receipt.turn_id;
    // The answer is shown here, so a later wait need not repeat it.
    if (last_message && settled !== null) look.isNews(receipt.thread, settled);
    return {
      ...leanReceipt(receipt),
      verdict: timed_out ? "timeout" : verdict,
      last_message,
      asks: asks?.map(leanRequest),
      next: timed_out ? `dispatch wait ${receipt.receipt}` : null,
    };
  },
  view(out, look) {
    if (out.verdict === undefined) return receiptPairs(out, look);
    const answer = out.last_message ? block(out.last_message) : paint("yellow", verdictWords[out.verdict]);
    return `${receiptPairs(out, look)}\n\n${answer}`;
  },
});

type Flags = Partial<Record<Exclude<Mode, "send">, boolean>> & { mode?: Mode | undefined };

/** All modes that the flags and --mode name, whether they can be combined or not. */
function modesIn(input: Flags): Mode[] {
  const named = modes.filter((mode) => mode !== "send" && input[mode]);
  return input.mode === undefined ? named : [input.mode, ...named];
}

/** The mode of the flags. --steer and --queue together are `steer`. Throws `usage` for other combinations. */
function modeOf(input: Flags): Mode {
  const named = modesIn({ ...input, mode: undefined });
  if (input.mode !== undefined && named.length > 0)
    fail("usage", `--mode and --${named[0]} both set the mode; give one`, { hint: "dispatch send --help" });
  if (named.length === 2 && named.includes("queue") && named.includes("steer")) return "steer";
  if (named.length > 1)
    fail("usage", `--${named.join(" and --")} exclude each other`, { hint: "dispatch send --help" });
  return input.mode ?? (named[0] as Mode | undefined) ?? "send";
}
