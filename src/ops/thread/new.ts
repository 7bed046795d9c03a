import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { block, paint } from "../../base/text.ts";
import { threadView } from "../../contract/thread.ts";
import type { Core } from "../../core/core.ts";
import type { Ref } from "../../core/model/ports/rows.ts";
import { flag, idempotencyKey } from "../fields.ts";
import { leanThread } from "../lean.ts";
import { op } from "../op.ts";
import type { Caller } from "../protocol.ts";
import {
  choiceFields,
  droppedLines,
  droppedObject,
  flagsOf,
  mayWriteHome,
  newName,
  rareSettings,
} from "../settings.ts";
import { type Subscribing, specOf, subscribe as subscribeTo } from "../subscribing.ts";
import { threadPairs } from "../threadpairs.ts";
import { callerName } from "../verdict.ts";

export default op({
  name: "thread.new",
  cli: "new",
  group: "thread",
  task: "start",
  summary: "Create a thread and send it its first text",
  about:
    "A setting that no flag, preset or configuration file gives is left to Codex's own configuration. dispatch stores the settings that Codex then reports, and sends them with every later resume. --dry-run shows each value and its source.",
  intent: "write",
  reach: "any",
  repeat: "keyed",
  rare: rareSettings,
  input: v.strictObject({
    name: newName,
    ...choiceFields,
    may_write_home: mayWriteHome,
    subscribe: v.optional(
      flag(
        v.union([v.boolean(), v.string()]),
        "wake the calling thread when it is done; the flags of subscribe in one word: when:failed,deliver:inbox",
        { value: "SPEC" },
      ),
      false,
    ),
    idempotency_key: v.optional(idempotencyKey()),
  }),
  output: v.object({
    ...threadView,
    message_accepted: v.boolean(),
    goal_set: v.boolean(),
    receipt: v.nullable(v.string()),
    /** Values of a repository's file that were not used. */
    dropped: v.array(droppedObject),
  }),
  asksCodex: true,
  fails: ["conflict"],
  examples: [
    {
      given: "nothing",
      input: { name: "docs", text: "hello", cwd: "/repo" },
      output: { title: "docs", handle: "docs", message_accepted: true },
    },
    {
      given: "nothing",
      input: { name: "quiet", cwd: "/repo" },
      output: { status: "idle", message_accepted: false, receipt: null },
    },
    {
      given: "a configuration",
      input: { name: "docs", preset: ["reviewer"] },
      output: { title: "repo: docs", sandbox: "read-only", message_accepted: true },
    },
    {
      given: "nothing",
      input: { name: "docs", cwd: "/repo", subscribe: "when:failed,deliver:inbox" },
      output: { title: "docs" },
    },
    { given: "nothing", input: { name: "docs", cwd: "/repo", subscribe: "whne:failed" }, error: "usage" },
    { given: "a configuration", input: { name: "docs", preset: ["revewer"] }, error: "usage" },
    { given: "two threads", input: { name: "docs", cwd: "/repo" }, error: "conflict" },
    { given: "nothing", input: { name: "lost", cwd: "/no/such/dir" }, error: "usage" },
    { given: "nothing", input: { name: "goal", text: "/goal ship it", cwd: "/repo" }, error: "usage" },
    { given: "Codex is down", input: { name: "other", text: "hello", cwd: "/repo" }, error: "agent_down" },
    { given: "nothing", input: { name: "docs", cwd: "/repo", model_provider: "nobody" }, error: "usage" },
  ],
  async run({ name, preset, idempotency_key, subscribe, ...flags }, { core, caller, signal }) {
    const spec = typeof subscribe === "string" ? specOf(subscribe) : {};
    const { draft, dropped } = core.plan({
      name,
      presets: preset ?? [],
      flags: flagsOf(flags),
      cwd: caller.cwd,
      key: idempotency_key ?? null,
      created_by: callerName(caller),
    });
    const { ref, receipt } = await core.create({ ...draft, agent: caller.thread_id }, signal);
    if (subscribe !== false) subscribeOnce(core, caller, ref, spec);
    return {
      ...core.view(ref),
      message_accepted: receipt !== null,
      goal_set: draft.goal !== null,
      receipt: receipt?.receipt ?? null,
      dropped: dropped.slice(),
    };
  },
  forAgents: "Create a worker agent, or several agents in parallel",
  lean: ({ receipt, goal_set, dropped, ...thread }) => ({
    ...leanThread(thread),
    handle: thread.handle,
    receipt,
    goal_set: goal_set || null,
    dropped: dropped.length > 0 ? dropped : null,
  }),
  several: {
    each: null,
    shows: ["name", "text", "cwd", "preset", "model", "effort", "sandbox", "approval_policy"],
  },
  view(out, look) {
    const accepted = out.receipt ? `accepted as ${out.receipt}` : "created; no text was sent";
    const lines = [threadPairs(out, look), ...droppedLines(out.dropped)].join("\n");
    return `${lines}\n${paint("dim", block(`${accepted}; follow it with:`))} ${paint("bold", `dispatch watch ${out.ref} --follow`)}`;
  },
});

/** The same key again makes no second one. */
function subscribeOnce(core: Core, caller: Caller, of: Ref, spec: Partial<Subscribing>): void {
  const to = spec.to === undefined ? core.refOf(caller.thread_id) : core.resolve(spec.to, caller.thread_id);
  const known = core.subscriptions({ to, limit: limits.input.pageMax });
  if (!known.some((one) => one.of.length === 1 && one.of[0] === of)) subscribeTo(core, caller, [of], spec);
}
