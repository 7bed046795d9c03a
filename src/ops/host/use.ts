import * as v from "valibot";
import { flag } from "../fields.ts";
import { op } from "../op.ts";

/** The request that a client sends to its own daemon before it uses another machine. */
export default op({
  name: "host.use",
  cli: "host use",
  group: "daemon",
  task: "maintain",
  summary: "Check whether the caller may use another machine",
  intent: "read",
  repeat: "safe",
  start: "never",
  hidden: true,
  input: v.strictObject({
    to: flag(v.pipe(v.string(), v.nonEmpty()), "the host, as the command names it"),
    write: v.optional(flag(v.boolean(), "for more than a read"), false),
  }),
  output: v.object({
    /** The thread of the agent that calls. Null: a person calls. */
    agent: v.nullable(v.string()),
  }),
  examples: [{ given: "nothing", input: { to: "box" }, output: { agent: null } }],
  run({ to, write }, { core, caller }) {
    const agent = caller.thread_id;
    core.authorizeHost({ host: to, isRead: !write, agent });
    return { agent };
  },
  view: ({ agent }) => agent ?? "a person",
});
