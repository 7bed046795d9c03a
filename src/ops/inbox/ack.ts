import * as v from "valibot";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { inboxView } from "../../contract/automation.ts";
import { authorizeFor, inboxTable } from "../automationview.ts";
import { arg, flag, threadFlag } from "../fields.ts";
import { op } from "../op.ts";

export default op({
  name: "inbox.ack",
  cli: "inbox ack",
  group: "inbox",
  task: "answer",
  summary: "Mark messages of an inbox as read",
  intent: "write",
  reach: "any",
  repeat: "safe",
  input: v.strictObject({
    ids: v.optional(
      arg(v.array(v.pipe(v.string(), v.minLength(1))), "messages: their ids", {
        value: "ID",
        names: "inbox",
      }),
    ),
    all: v.optional(flag(v.boolean(), "all that are pending in the inbox"), false),
    thread: v.optional(threadFlag("with --all: the inbox of this thread", { also: ["lane"] })),
  }),
  output: v.object({
    messages: v.array(v.object(inboxView)),
    /** With `all`: more are pending, for the same command again. */
    truncated: v.boolean(),
  }),
  examples: [
    { given: "an inbox message", input: { ids: ["<inbox>"] }, output: { messages: [{ state: "acked" }] } },
    { given: "an inbox message", input: { all: true }, output: { messages: [{ state: "acked" }] } },
    { given: "nothing", input: { ids: ["nope"] }, error: "not_found" },
    { given: "nothing", input: {}, error: "usage" },
  ],
  run({ ids, all, thread }, { core, caller }) {
    if ((ids !== undefined) === all)
      fail("usage", "name the messages, or say --all", { hint: "dispatch inbox list" });
    const lane = thread === undefined ? core.refOf(caller.thread_id) : core.resolve(thread, caller.thread_id);
    const most = limits.input.pageMax;
    const found = ids ?? core.inbox({ lane, states: ["pending"], limit: most + 1 }).map(({ id }) => id);
    const chosen = found.slice(0, most);
    for (const id of chosen) authorizeFor(core, caller, "inbox ack", core.readInbox(id).thread);
    return { messages: core.ackInbox(chosen), truncated: found.length > most };
  },
  view: ({ messages, truncated }, look) =>
    `${inboxTable(messages, look)}${truncated ? "\nmore are pending: the same command again" : ""}`,
});
