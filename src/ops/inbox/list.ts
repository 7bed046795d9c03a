import * as v from "valibot";
import { pageOf } from "../../base/cursor.ts";
import { limits } from "../../base/limits.ts";
import { inboxView } from "../../contract/automation.ts";
import { inboxStates } from "../../contract/words.ts";
import { inboxTable } from "../automationview.ts";
import { count, cursorFlag, flag, threadFlag } from "../fields.ts";
import { op } from "../op.ts";
import { withMore } from "../views.ts";

export default op({
  name: "inbox.list",
  cli: "inbox list",
  group: "thread",
  task: "answer",
  summary: "List what is in an inbox, oldest first",
  about: "The inbox of the calling thread, or of --thread; from a terminal, your own.",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    thread: v.optional(threadFlag("the inbox of this thread", { also: ["lane"] })),
    all: v.optional(flag(v.boolean(), "of every thread, and your own"), false),
    state: v.optional(flag(v.array(v.picklist(inboxStates)), "only in these states (pending)")),
    limit: v.optional(count("at most this many", limits.input.pageMax), 50),
    cursor: v.optional(cursorFlag()),
  }),
  output: v.object({
    messages: v.array(v.object(inboxView)),
    truncated: v.boolean(),
    next_cursor: v.nullable(v.string()),
  }),
  examples: [
    { given: "an inbox message", input: {}, output: { messages: [{ text: "look here", state: "pending" }] } },
    { given: "nothing", input: {}, output: { messages: [] } },
    { given: "nothing", input: { thread: "nobody" }, error: "not_found" },
  ],
  lists: {
    inbox: {
      input: { all: true, limit: limits.input.pageMax },
      words: ({ messages }) => messages.map(({ id, text }) => ({ word: id, about: text })),
    },
  },
  run({ thread, all, state, limit, cursor = null }, { core, caller }) {
    const lane =
      thread === undefined ? core.refOf(caller.thread_id) : core.resolve(thread, caller.thread_id, "reading");
    const filter = { ...(all ? {} : { lane }), states: state ?? ["pending" as const] };
    const { rows, ...page } = pageOf(
      `inbox ${all ? "all" : lane} ${filter.states}`,
      { cursor, limit },
      (after, most) => core.inbox({ ...filter, after, limit: most }),
      ({ created_at, id }) => [Date.parse(created_at), id],
    );
    return { messages: rows, ...page };
  },
  view: ({ messages, next_cursor }, look) => withMore(inboxTable(messages, look), next_cursor),
});
