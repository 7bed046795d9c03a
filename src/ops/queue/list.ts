import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { table } from "../../base/table.ts";
import { ago, cell, paint } from "../../base/text.ts";
import { receiptView } from "../../contract/receipt.ts";
import { queueShape } from "../../contract/thread.ts";
import { count, cursorFlag, selector } from "../fields.ts";
import { op } from "../op.ts";
import { withMore } from "../views.ts";

export default op({
  name: "queue.list",
  cli: "queue list",
  group: "thread",
  task: "send",
  summary: "List the queued messages of a thread, the next one first",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    thread: selector(),
    limit: v.optional(count("at most this many", limits.input.pageMax), 50),
    cursor: v.optional(cursorFlag()),
  }),
  output: v.object({
    thread: v.string(),
    queue: queueShape,
    messages: v.array(v.object({ ...receiptView, preview: v.string() })),
    total: v.number(),
    next_cursor: v.nullable(v.string()),
  }),
  examples: [
    {
      given: "a queue",
      input: { thread: "@docs" },
      output: { total: 3, messages: [{ preview: "one" }, { preview: "two" }, { preview: "three" }] },
    },
    { given: "a queue", input: { thread: "@docs", limit: 1 }, output: { messages: [{ preview: "one" }] } },
  ],
  run: ({ thread, limit, cursor }, { core, caller }) =>
    core.queue(core.resolve(thread, caller.thread_id, "reading"), cursor ?? null, limit),
  view({ messages, queue, total, next_cursor }, look) {
    const held = queue.release
      ? paint("yellow", `held: ${cell(queue.reason)}; release with: ${cell(queue.release)}\n`)
      : queue.reason
        ? paint("yellow", `waits: ${cell(queue.reason)}\n`)
        : "";
    if (total === 0) return `${held}nothing waits`;
    const rows = messages.map(({ receipt, mode, preview, created_at }, at) => [
      String(at + 1),
      receipt,
      mode,
      cell(preview),
      ago(created_at, look),
    ]);
    const header = ["", "receipt", "mode", "text", "accepted"];
    return `${held}${withMore(table(rows, look, { header, shrink: 3 }), next_cursor)}`;
  },
});
