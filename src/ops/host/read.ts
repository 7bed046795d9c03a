import * as v from "valibot";
import { callerElsewhere } from "../../base/agentid.ts";
import { fail } from "../../base/error.ts";
import { jsonObject } from "../../base/jsonobject.ts";
import { flag } from "../fields.ts";
import { op } from "../op.ts";

const call = v.object({
  /** The caller's DISPATCH_SSH. */
  ssh: v.nullable(v.string()),
  op: v.string(),
  schema: v.string(),
  input: v.record(v.string(), v.unknown()),
});

/** What a client sends to its own daemon before it reads from another machine: may it, and is the answer at hand. */
export default op({
  name: "host.read",
  cli: "host read",
  group: "daemon",
  task: "maintain",
  summary: "Read from another machine over a connection that is open already",
  intent: "read",
  repeat: "safe",
  start: "never",
  hidden: true,
  input: v.strictObject({
    to: flag(v.pipe(v.string(), v.nonEmpty()), "the host, as the command names it"),
    call: flag(v.pipe(v.string(), v.nonEmpty()), "the call, as JSON"),
  }),
  output: v.object({
    /** The thread of the agent that calls. Null: a person calls. */
    agent: v.nullable(v.string()),
    /** The frame of the daemon there. Null: no connection is open, and the caller makes its own. */
    answer: v.nullable(v.record(v.string(), v.unknown())),
  }),
  examples: [
    {
      given: "nothing",
      input: { to: "box", call: '{"ssh":null,"op":"thread.list","schema":"x","input":{}}' },
      output: { agent: null, answer: null },
    },
    { given: "nothing", input: { to: "box", call: "{}" }, error: "usage" },
  ],
  async run({ to, call: text }, { core, host, caller }) {
    const parsed = v.safeParse(call, jsonObject(text));
    if (!parsed.success) return fail("usage", "the call is no call", { hint: "dispatch --host BOX list" });
    const agent = caller.thread_id;
    core.authorizeHost({ host: to, isRead: true, agent });
    const as = { ...caller, thread_id: callerElsewhere(agent) };
    return { agent, answer: await host.readFar(to, { ...parsed.output, caller: as }) };
  },
  view: ({ agent }) => agent ?? "a person",
});
