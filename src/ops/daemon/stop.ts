import * as v from "valibot";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { cell } from "../../base/text.ts";
import type { Ctx } from "../ctx.ts";
import { flag } from "../fields.ts";
import { op } from "../op.ts";

/** What `down` asks of the daemon; it then waits until the process is gone. */
export default op({
  name: "daemon.stop",
  cli: "daemon stop",
  group: "daemon",
  summary: "Begin a graceful stop (dispatch down also waits for it)",
  intent: "write",
  repeat: "safe",
  start: "never",
  // What cuts nothing, whoever runs a newer program may ask for.
  reach: ({ idle }) => (idle === true ? "any" : "created"),
  frozen: true,
  hidden: true,
  input: v.strictObject({
    force: v.optional(flag(v.boolean(), "also while turns run: they are cut"), false),
    idle: v.optional(flag(v.boolean(), "only when nothing at all is under way"), false),
  }),
  output: v.object({ pid: v.number(), cut: v.array(v.string()) }),
  fails: ["thread_busy"],
  examples: [
    { given: "two threads", input: {}, output: { cut: [] } },
    { given: "a running turn", input: {}, error: "thread_busy" },
    { given: "two threads", input: { idle: true }, output: { cut: [] } },
    { given: "an open request", input: { idle: true }, error: "thread_busy" },
    { given: "an ephemeral thread", input: { idle: true }, error: "thread_busy" },
  ],
  run({ force, idle }, { core, host }) {
    const running = core.running();
    const named = running.map(({ ref, title }) => `${ref} "${cell(title)}"`).join(", ");
    const turns = `${counted(running.length, "a turn runs", "turns run")}: ${named}`;
    const parents = core.withAgents();
    const agents = parents.map((one) => `${one.agents.length} of ${one.ref} "${cell(one.title)}"`).join(", ");
    const reasons = [
      ...(running.length > 0 ? [turns] : []),
      ...(parents.length > 0 ? [`sub-agents work: ${agents}`] : []),
      ...(idle ? underWay(core, host) : []),
    ];
    if (reasons.length > 0 && !force) {
      fail("thread_busy", reasons.join("; "), {
        hint: wayOut([...new Set([...running, ...parents].map(({ ref }) => ref))]),
        data: { running: running.map(({ ref }) => ref), with_agents: parents.map(({ ref }) => ref) },
      });
    }
    host.stop();
    return { pid: host.pid, cut: running.map(({ ref }) => ref) };
  },
  view: ({ pid }) => `stopping ${pid}`,
});

/** Where no turn runs, what keeps it is told in its reasons, and `down` asks for none of them. */
function wayOut(refs: readonly string[]): string {
  const first = refs.length > 0 ? `dispatch wait ${refs.join(" ")}, or ` : "";
  return `${first}dispatch down --force`;
}

/** What a stop would cut or put off, though no turn runs. What only waits in a queue goes on afterwards. */
function underWay(core: Ctx["core"], host: Ctx["host"]): string[] {
  const { messages, requests } = core.counts();
  const sending = (messages.claimed ?? 0) + (messages.sent ?? 0);
  const lanes = core.listViews({ archived: false, limit: limits.thread.max });
  const goals = lanes.filter(({ goal }) => goal?.status === "active").map(({ ref }) => ref);
  const mortal = lanes.filter((lane) => lane.ephemeral && lane.status !== "gone").map(({ ref }) => ref);
  const calls = host.calls();
  return [
    ...(sending > 0
      ? [counted(sending, "a message is being delivered", "messages are being delivered")]
      : []),
    ...(requests > 0 ? [counted(requests, "a question is open", "questions are open")] : []),
    ...(goals.length > 0 ? [`a goal is active: ${goals.join(", ")}`] : []),
    ...(mortal.length > 0 ? [`an ephemeral thread would end: ${mortal.join(", ")}`] : []),
    ...(calls > 0
      ? [counted(calls, "another command waits for its answer", "other commands wait for their answers")]
      : []),
  ];
}

function counted(n: number, one: string, many: string): string {
  return n === 1 ? one : `${n} ${many}`;
}
