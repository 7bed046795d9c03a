import * as v from "valibot";
import { pageOf } from "../../base/cursor.ts";
import { limits } from "../../base/limits.ts";
import { subscriptionView } from "../../contract/automation.ts";
import { subscriptionTable } from "../automationview.ts";
import { count, cursorFlag, threadFlag } from "../fields.ts";
import { op } from "../op.ts";
import { withMore } from "../views.ts";

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
    cursor: v.optional(cursorFlag()),
  }),
  output: v.object({
    subscriptions: v.array(v.object(subscriptionView)),
    truncated: v.boolean(),
    next_cursor: v.nullable(v.string()),
  }),
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
  run({ to, limit, cursor = null }, { core, caller }) {
    const filter = to === undefined ? {} : { to: core.resolve(to, caller.thread_id, "reading") };
    const { rows, ...page } = pageOf(
      `subscriptions ${filter.to}`,
      { cursor, limit },
      (after, most) => core.subscriptions({ ...filter, after, limit: most }),
      ({ created_at, id }) => [Date.parse(created_at), id],
    );
    return { subscriptions: rows, ...page };
  },
  view: ({ subscriptions, next_cursor }, look) =>
    withMore(subscriptionTable(subscriptions, look), next_cursor),
});
