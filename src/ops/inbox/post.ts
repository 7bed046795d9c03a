import * as v from "valibot";
import { inboxView } from "../../contract/automation.ts";
import { text, threadFlag } from "../fields.ts";
import { op } from "../op.ts";
import { callerName } from "../verdict.ts";

export default op({
  name: "inbox.post",
  cli: "inbox post",
  group: "inbox",
  task: "answer",
  summary: "Put a message into an inbox: it wakes nobody",
  about: "Without --thread it is for the person.",
  intent: "write",
  reach: "any",
  repeat: "no",
  input: v.strictObject({
    text: text("the message", { arg: true }),
    thread: v.optional(threadFlag("for this thread", { also: ["lane"] })),
  }),
  output: v.object(inboxView),
  examples: [
    {
      given: "two threads",
      input: { text: "look here", thread: "@docs" },
      output: { text: "look here", state: "pending" },
    },
    { given: "nothing", input: { text: "look here" }, output: { thread: null } },
    { given: "nothing", input: { text: "x", thread: "nobody" }, error: "not_found" },
    { given: "nothing", input: { text: "" }, error: "usage" },
  ],
  run: ({ text, thread }, { core, caller }) =>
    core.postInbox({
      lane: thread === undefined ? null : core.resolve(thread, caller.thread_id),
      sender: callerName(caller),
      text,
    }),
  view: (one) => `posted as ${one.id}`,
});
