/** Ops of every kind that a surface treats differently. They mean nothing. */
import * as v from "valibot";
import { table } from "../../../src/base/table.ts";
import { cell, paint } from "../../../src/base/text.ts";
import { arg, count, flag, idempotencyKey, path, seconds, selector, text } from "../../../src/ops/fields.ts";
import { type AnyOp, clientOp, type IndexRow, op } from "../../../src/ops/op.ts";
import { indexRowOf } from "../../../src/surface/indexrow.ts";

const list = op({
  name: "thread.list",
  cli: "list",
  group: "thread",
  task: "look",
  summary: "List the threads",
  about: "Newest activity first.",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    limit: v.optional(count("at most so many", 100), 50),
    archived: v.optional(flag(v.boolean(), "the archived ones")),
    status: v.optional(flag(v.array(v.picklist(["idle", "busy"])), "only these")),
    follow: v.optional(flag(v.boolean(), "go on", { cli_only: true })),
  }),
  output: v.object({ threads: v.array(v.object({ ref: v.string(), title: v.string() })) }),
  fails: ["storage"],
  examples: [{ given: "two lanes", input: { limit: 5, status: ["idle"] }, output: {} }],
  view: (out, look) =>
    table(
      out.threads.map(({ ref, title }) => [paint("cyan", ref), cell(title)]),
      look,
    ),
  run: () => ({ threads: [] as { ref: string; title: string }[] }),
});

const get = op({
  name: "thread.get",
  cli: "get",
  group: "thread",
  task: "look",
  summary: "Show a thread",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({ thread: selector() }),
  output: v.object({ ref: v.string(), title: v.string() }),
  fails: ["not_found"],
  examples: [{ given: "a lane", input: { thread: "@docs" }, output: {} }],
  view: (out) => `${out.ref} ${out.title}`,
  run: () => ({ ref: "", title: "" }),
});

const send = op({
  name: "message.send",
  cli: "send",
  group: "message",
  task: "look",
  summary: "Send a message",
  intent: "write",
  repeat: "keyed",
  input: v.strictObject({
    thread: selector(),
    text: text("what to say", { arg: true }),
    intro: v.optional(text("who says it")),
    queue: v.optional(flag(v.boolean(), "let it wait")),
    mode: v.optional(flag(v.picklist(["send", "queue"]), "how")),
    priority: v.optional(flag(v.number(), "a number", { value: "N" })),
    cwd: v.optional(path("where")),
    schema_path: v.optional(path("a schema")),
    idempotency_key: v.optional(idempotencyKey()),
  }),
  output: v.object({ receipt: v.string() }),
  fails: ["not_found", "thread_busy"],
  examples: [{ given: "a lane", input: { thread: "@docs", text: "hello there", cwd: "/x" }, output: {} }],
  view: (out) => `accepted ${out.receipt}`,
  run: () => ({ receipt: "r" }),
});

const forget = op({
  name: "thread.forget",
  cli: "forget",
  group: "thread",
  task: "look",
  summary: "Drop a thread",
  intent: "destroy",
  repeat: "no",
  input: v.strictObject({ thread: selector() }),
  output: v.object({ ref: v.string() }),
  fails: ["not_found"],
  examples: [],
  several: { each: "thread" },
  view: (out) => `forgot ${out.ref}`,
  run: () => ({ ref: "" }),
});

const watch = op({
  name: "event.watch",
  cli: "watch",
  group: "thread",
  task: "look",
  summary: "Watch threads",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    threads: v.optional(arg(v.array(v.string()), "which ones")),
    follow: v.optional(flag(v.boolean(), "without end", { cli_only: true })),
  }),
  output: v.object({ events: v.number() }),
  fails: [],
  examples: [],
  streams: (input) => input.follow === true,
  view: (out) => `${out.events} events`,
  viewRow: (row) => `event ${String(row["n"])}`,
  run: () => ({ events: 0 }),
});

const wait = op({
  name: "thread.wait",
  cli: "wait",
  group: "thread",
  task: "look",
  summary: "Wait for a thread",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({ thread: selector(), timeout: v.optional(seconds("at most so long")) }),
  output: v.object({ failed: v.boolean() }),
  fails: ["turn_failed"],
  examples: [],
  view: (out) => (out.failed ? "failed" : "done"),
  exit: (out) => (out.failed ? 8 : 0),
  run: () => ({ failed: false }),
});

const goal = (verb: string) =>
  op({
    name: `goal.${verb}`,
    cli: `goal ${verb}`,
    group: "thread",
    task: "look",
    summary: `${verb} the goal`,
    intent: "write",
    repeat: "no",
    input: v.strictObject({ thread: selector(), objective: v.optional(flag(v.string(), "what for")) }),
    output: v.object({}),
    fails: [],
    examples: [],
    view: () => "",
    run: () => ({}),
  });

const status = op({
  name: "daemon.status",
  cli: "daemon status",
  group: "daemon",
  task: "look",
  summary: "How the daemon does",
  intent: "read",
  repeat: "safe",
  start: "never",
  frozen: true,
  input: v.strictObject({}),
  output: v.object({ pid: v.number() }),
  fails: ["daemon_down"],
  examples: [],
  view: (out) => String(out.pid),
  run: () => ({ pid: 0 }),
});

const up = clientOp({
  at: "client",
  name: "daemon.up",
  cli: "up",
  group: "daemon",
  task: "look",
  summary: "Start the daemon",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({}),
  output: v.object({ status: v.string() }),
  fails: [],
  examples: [],
  view: (out) => out.status,
  run: async (_, ctx) => ({ status: (await ctx.start()).status }),
});

const hold = clientOp({
  at: "client",
  name: "daemon.hold",
  cli: "hold",
  group: "daemon",
  task: "look",
  summary: "Leave the mark that nothing starts",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({}),
  output: v.object({ confirmed: v.boolean(), pid: v.nullable(v.number()) }),
  fails: [],
  examples: [],
  view: (out) => String(out.confirmed),
  async run(_, ctx) {
    ctx.markStopped();
    return { confirmed: await ctx.confirm("really"), pid: null };
  },
});

const schema = clientOp({
  at: "client",
  name: "schema.show",
  cli: "schema",
  group: "daemon",
  task: "look",
  summary: "Show schemas",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({}),
  output: v.object({ commands: v.array(v.string()) }),
  fails: [],
  examples: [],
  view: (out) => out.commands.join("\n"),
  run: async (_, ctx) => ({ commands: (await ctx.schemas()).map((one) => one.command) }),
});

export const ops: Record<string, AnyOp> = Object.fromEntries(
  [list, get, send, forget, watch, wait, goal("set"), goal("status"), status, up, hold, schema].map((one) => [
    one.cli,
    one,
  ]),
);

export const index: readonly IndexRow[] = Object.values(ops).map((one) => ({
  ...indexRowOf(one),
  load: () => Promise.resolve({ default: one }),
}));
