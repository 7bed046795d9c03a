import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { subscriptionView } from "../../contract/automation.ts";
import { subscriptionTable } from "../automationview.ts";
import { count, threadFlag } from "../fields.ts";
import { op } from "../op.ts";

export default op({
  name: "subscription.list",
  cli: "subscription list",
  group: "trigger",
  task: "automate",
  summary: "List the subscriptions, newest first",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    to: v.optional(threadFlag("only those that wake this thread")),
    limit: v.optional(count("at most this many", limits.input.pageMax), 100),
  }),
  output: v.object({ subscriptions: v.array(v.object(subscriptionView)) }),
  examples: [
    { given: "a subscription", input: {}, output: { subscriptions: [{ when: ["done"] }] } },
    { given: "nothing", input: {}, output: { subscriptions: [] } },
    { given: "nothing", input: { to: "nobody" }, error: "not_found" },
  ],
  lists: {
    subscription: {
      input: { limit: limits.input.pageMax },
      words: ({ subscriptions }) => subscriptions.map(({ id, of }) => ({ word: id, about: of.join(" ") })),
    },
  },
  run: ({ to, limit }, { core, caller }) => ({
    subscriptions: core.subscriptions({
      ...(to === undefined ? {} : { to: core.resolve(to, caller.thread_id, "reading") }),
      limit,
    }),
  }),
  view: ({ subscriptions }, look) => subscriptionTable(subscriptions, look),
});
