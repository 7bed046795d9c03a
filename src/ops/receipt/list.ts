import * as v from "valibot";
import { pageOf } from "../../base/cursor.ts";
import { limits } from "../../base/limits.ts";
import { table } from "../../base/table.ts";
import { ago, cell, paint } from "../../base/text.ts";
import { type Receipt, receiptObject } from "../../contract/receipt.ts";
import { messageStates } from "../../contract/words.ts";
import { count, cursorFlag, flag } from "../fields.ts";
import { leanReceipt } from "../lean.ts";
import { op, type Word } from "../op.ts";
import { outcomeOf, withMore } from "../views.ts";

const states = messageStates;

export default op({
  name: "receipt.list",
  cli: "receipt list",
  group: "thread",
  task: "send",
  summary: "List messages and their states, newest first",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    thread: v.optional(flag(v.string(), "only of this thread", { value: "THREAD", names: "thread" })),
    state: v.optional(flag(v.array(v.picklist(states)), "only in this state")),
    limit: v.optional(count("at most this many", limits.input.pageMax), 50),
    cursor: v.optional(cursorFlag()),
  }),
  output: v.object({
    receipts: v.array(receiptObject),
    truncated: v.boolean(),
    next_cursor: v.nullable(v.string()),
  }),
  examples: [
    { given: "a finished turn", input: {}, output: { receipts: [{ state: "done", outcome: "completed" }] } },
    { given: "a finished turn", input: { state: ["unsure"] }, output: { receipts: [] } },
  ],
  lists: {
    receipt: { input: {}, words: ({ receipts }) => receipts.map(completionOf) },
    queued: { input: { state: ["queued"] }, words: ({ receipts }) => receipts.map(completionOf) },
    unsure: { input: { state: ["unsure"] }, words: ({ receipts }) => receipts.map(completionOf) },
  },
  run({ thread, state = null, limit, cursor = null }, { core, caller }) {
    const ref = thread === undefined ? null : core.resolve(thread, caller.thread_id, "reading");
    const { rows, ...page } = pageOf(
      `receipts ${ref} ${state}`,
      { cursor, limit },
      (after, most) => core.receipts({ ref, states: state, after, limit: most }),
      ({ created_at, receipt }) => [Date.parse(created_at), receipt],
    );
    return { receipts: rows, ...page };
  },
  lean: ({ receipts, next_cursor }) => ({ receipts: receipts.map(leanReceipt), next_cursor }),
  view({ receipts, next_cursor }, look) {
    if (receipts.length === 0) return "no receipts";
    const rows = receipts.map((receipt) => [
      receipt.receipt,
      receipt.thread,
      outcomeOf(receipt),
      ago(receipt.updated_at, look),
      cell(receipt.error?.message ?? (receipt.held ? `held: ${receipt.held}` : receipt.waits)),
    ]);
    // Below the table: the width of the terminal would cut them in a column.
    const releases = new Set(receipts.flatMap(({ release }) => release ?? []));
    const lines = [...releases].map((command) => `\nrelease with: ${paint("bold", cell(command))}`);
    const header = ["receipt", "thread", "state", "changed", "why"];
    return withMore(`${table(rows, look, { header, shrink: 4 })}${lines.join("")}`, next_cursor);
  },
});

function completionOf(receipt: Receipt): Word {
  return { word: receipt.receipt, about: `${receipt.mode} to ${receipt.thread}, ${outcomeOf(receipt)}` };
}
