import * as v from "valibot";
import { joinHost } from "../../base/hostref.ts";
import { limits } from "../../base/limits.ts";
import { requestObject } from "../../contract/request.ts";
import { threadObject } from "../../contract/thread.ts";
import { conditions, worst } from "../../contract/words.ts";
import { arg, flag, seconds } from "../fields.ts";
import { leanWaited } from "../lean.ts";
import { op } from "../op.ts";
import { asksOf, callerThread, exitOf, stillWaiting, verdict, verdictWords } from "../verdict.ts";
import { summaryOf, threadTable } from "../views.ts";

const named = (ref: string, host: string | null) => (host === null ? ref : joinHost(host, ref));

export default op({
  name: "thread.wait",
  cli: "wait",
  group: "thread",
  task: "look",
  summary: "Wait until threads or receipts are done",
  about: `done       no turn and no sub-agent runs, no message is unfinished, and at least one turn has run
idle       no turn runs
waiting    a question is open
attention  a question, a failed turn, a hold, an unsure receipt, a turn that only retries, or a blocked thread
turn       the running turn ends; if none runs, the next one
A usage limit of the account does not end a wait, because the work continues by itself afterwards.
The result is always on stdout; the exit status says how the wait ended.`,
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    threads: arg(v.pipe(v.array(v.string()), v.minLength(1)), "threads or receipts", {
      value: "THREAD...",
      names: "thread",
    }),
    for: v.optional(flag(v.picklist(conditions), "what to wait for"), "done"),
    any: v.optional(flag(v.boolean(), "wait for one of them only"), false),
    all: v.optional(flag(v.boolean(), "all of them (the default)"), true),
    timeout: v.optional(seconds("give up after this time", { agent_default: limits.mcp.waitMs / 1000 })),
  }),
  output: v.object({
    threads: v.array(threadObject),
    /** What these threads ask, with the answers that each takes. Long texts are cut. */
    asks: v.array(requestObject),
    timed_out: v.boolean(),
    verdict,
  }),
  asksCodex: true,
  fails: ["conflict", "needs_answer", "turn_failed", "unsure"],
  examples: [
    { given: "a finished turn", input: { threads: ["@docs"] }, output: { timed_out: false, verdict: "ok" } },
    {
      given: "a failed turn",
      input: { threads: ["@docs"] },
      output: { verdict: "turn_failed", threads: [{ status: "error" }] },
    },
    {
      given: "an open request",
      input: { threads: ["@docs"] },
      output: { verdict: "needs_answer", threads: [{ status: "waiting" }] },
    },
    { given: "an open request", input: { threads: ["@docs"], for: "attention" }, output: { verdict: "ok" } },
    {
      given: "a running turn",
      input: { threads: ["@docs"], timeout: 0 },
      output: { verdict: "timeout", timed_out: true },
    },
    { given: "two threads", input: { threads: ["@nobody"] }, error: "not_found" },
    { given: "an unsure message", input: { threads: ["@docs"] }, output: { verdict: "unsure" } },
  ],
  across: {
    field: "threads",
    join: (answers) => ({
      threads: answers.flatMap(({ host, out }) =>
        out.threads.map((thread) => ({ ...thread, ref: named(thread.ref, host) })),
      ),
      asks: answers.flatMap(({ host, out }) =>
        out.asks.map((ask) => ({ ...ask, thread: named(ask.thread, host) })),
      ),
      timed_out: answers.some(({ out }) => out.timed_out),
      verdict: worst(answers.map(({ out }) => out.verdict)),
    }),
    isEnough: ({ any, all }, { timed_out }) => (any === true || all === false) && !timed_out,
  },
  async run({ threads, for: condition, any, all, timeout }, { core, caller, signal, emit }) {
    const waited = await core.wait({
      targets: threads,
      self: caller.thread_id,
      callerThread: callerThread(caller, core),
      condition,
      any: any || !all,
      timeoutMs: timeout === undefined ? null : timeout * 1000,
      signal,
      progress: (waiting) => emit({ waiting }),
    });
    return { ...waited, asks: asksOf(core, waited.threads) };
  },
  exit: (out) => exitOf(out.verdict),
  progress: stillWaiting,
  asksPerson: true,
  forAgents: "Wait for a worker to finish and get the result of the agent",
  returns:
    "{verdict, threads: [{ref, status, last_message, asks: [{id, ask, options}]}]}; each last_message once",
  lean: ({ threads, asks, verdict, timed_out }, look) => ({
    verdict: timed_out ? "timeout" : verdict,
    threads: threads.map((thread) => leanWaited(thread, asks, look)),
    next: timed_out ? "not over yet: call wait again with the same threads" : null,
  }),
  view: ({ threads, timed_out, verdict }, look) =>
    // A receipt of another machine has no thread here.
    [
      ...(threads.length > 0 ? [threadTable(threads.map(summaryOf), look)] : []),
      verdictWords[timed_out ? "timeout" : verdict],
    ].join("\n"),
});
