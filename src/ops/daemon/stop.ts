import * as v from "valibot";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { cell } from "../../base/text.ts";
import type { Ctx } from "../ctx.ts";
import { flag } from "../fields.ts";
import { op } from "../op.ts";

/** The request that `down` sends. `down` then waits until the process has exited. */
export default op({
  name: "daemon.stop",
  cli: "daemon stop",
  group: "daemon",
  task: "maintain",
  summary: "Begin a graceful stop (dispatch down also waits for it)",
  intent: "write",
  repeat: "safe",
  start: "never",
  // An idle stop interrupts nothing, so every caller may request it: a newer client does, to upgrade the daemon.
  reach: ({ idle, handover }) => (idle === true && handover !== true ? "any" : "created"),
  frozen: true,
  hidden: true,
  input: v.strictObject({
    force: v.optional(flag(v.boolean(), "also while turns run: it interrupts them"), false),
    idle: v.optional(flag(v.boolean(), "only when no work at all is in progress"), false),
    handover: v.optional(
      flag(v.boolean(), "with idle: no turn starts while it is asked again and again"),
      false,
    ),
  }),
  output: v.object({ pid: v.number(), cut: v.array(v.string()) }),
  fails: ["thread_busy"],
  examples: [
    { given: "two threads", input: {}, output: { cut: [] } },
    { given: "a running turn", input: {}, error: "thread_busy" },
    { given: "two threads", input: { idle: true }, output: { cut: [] } },
    { given: "a running turn", input: { idle: true, handover: true }, error: "thread_busy" },
    { given: "an open request", input: { idle: true }, error: "thread_busy" },
    { given: "an ephemeral thread", input: { idle: true }, error: "thread_busy" },
  ],
  run({ force, idle, handover }, { core, host }) {
    if (handover) core.beginHandover();
    const running = core.running();
    const named = running.map(({ ref, title }) => `${ref} "${cell(title)}"`).join(", ");
    const turns = `${counted(running.length, "a turn runs", "turns run")}: ${named}`;
    const parents = core.withAgents();
    const agents = parents
      .map((parent) => `${parent.agents.length} of ${parent.ref} "${cell(parent.title)}"`)
      .join(", ");
    const cut = [...new Set([...running, ...parents].map(({ ref }) => ref))];
    const goals = core.betweenGoalTurns();
    const reasons = [
      ...(running.length > 0 ? [turns] : []),
      ...(parents.length > 0 ? [`sub-agents work: ${agents}`] : []),
      ...(goals.length > 0 ? [`a goal is active: ${goals.map(({ ref }) => ref).join(", ")}`] : []),
      ...(idle ? inProgress(core, host) : []),
    ];
    if (reasons.length > 0 && !force) {
      fail("thread_busy", reasons.join("; "), {
        hint: wayOut([...new Set([...cut, ...goals.map(({ ref }) => ref)])]),
        data: { running: running.map(({ ref }) => ref), with_agents: parents.map(({ ref }) => ref) },
      });
    }
    host.stop();
    return { pid: host.pid, cut };
  },
  view: ({ pid }) => `stopping ${pid}`,
});

/** The hint: the threads to wait for, if there are any. What only keeps an idle stop does not keep `down`. */
function wayOut(refs: readonly string[]): string {
  const first = refs.length > 0 ? `dispatch wait ${refs.join(" ")}, or ` : "";
  return `${first}dispatch down --force`;
}

/** Work that a stop would interrupt or delay although no turn runs. Queued messages do not count: they continue later. */
function inProgress(core: Ctx["core"], host: Ctx["host"]): string[] {
  const { messages, requests } = core.counts();
  const sending = (messages.claimed ?? 0) + (messages.sent ?? 0);
  const threads = core.listViews({ archived: false, limit: limits.thread.max });
  const ephemeral = threads
    .filter((thread) => thread.ephemeral && thread.status !== "gone")
    .map(({ ref }) => ref);
  const calls = host.calls();
  return [
    ...(sending > 0
      ? [counted(sending, "a message is being delivered", "messages are being delivered")]
      : []),
    ...(requests > 0 ? [counted(requests, "a question is open", "questions are open")] : []),
    ...(ephemeral.length > 0 ? [`an ephemeral thread would end: ${ephemeral.join(", ")}`] : []),
    ...(calls > 0
      ? [counted(calls, "another command waits for its answer", "other commands wait for their answers")]
      : []),
  ];
}

function counted(n: number, singular: string, plural: string): string {
  return n === 1 ? singular : `${n} ${plural}`;
}
