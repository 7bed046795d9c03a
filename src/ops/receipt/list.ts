import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { table } from "../../base/table.ts";
import { ago, cell, paint } from "../../base/text.ts";
import { type Receipt, receiptObject } from "../../contract/receipt.ts";
import { messageStates } from "../../contract/words.ts";
import { count, flag } from "../fields.ts";
import { op, type Word } from "../op.ts";
import { fate } from "../views.ts";

const states = messageStates;

export default op({
  name: "receipt.list",
  cli: "receipt list",
  group: "thread",
  summary: "List what became of messages, newest first",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    thread: v.optional(flag(v.string(), "only of this thread", { value: "THREAD", names: "thread" })),
    state: v.optional(flag(v.array(v.picklist(states)), "only in this state, repeatable")),
    limit: v.optional(count("at most this many", limits.input.pageMax), 50),
  }),
  output: v.object({ receipts: v.array(receiptObject) }),
  examples: [
    { given: "a finished turn", input: {}, output: { receipts: [{ state: "done", outcome: "completed" }] } },
    { given: "a finished turn", input: { state: ["unsure"] }, output: { receipts: [] } },
  ],
  lists: {
    receipt: { input: {}, words: ({ receipts }) => receipts.map(wordOf) },
    queued: { input: { state: ["queued"] }, words: ({ receipts }) => receipts.map(wordOf) },
    unsure: { input: { state: ["unsure"] }, words: ({ receipts }) => receipts.map(wordOf) },
  },
  run: ({ thread, state, limit }, { core, caller }) => ({
    receipts: core.receipts({
      ref: thread === undefined ? null : core.resolve(thread, caller.thread_id, "reading"),
      states: state ?? null,
      limit,
    }),
  }),
  view({ receipts }, look) {
    if (receipts.length === 0) return "no receipts";
    const rows = receipts.map((one) => [
      one.receipt,
      one.thread,
      fate(one),
      ago(one.updated_at, look),
      cell(one.error?.message ?? (one.held && `held: ${one.held}`)),
    ]);
    // Below the table, where the width of the terminal does not cut them.
    const releases = new Set(receipts.flatMap(({ release }) => release ?? []));
    const lines = [...releases].map((command) => `\nrelease with: ${paint("bold", cell(command))}`);
    return `${table(rows, look, { header: ["receipt", "thread", "state", "changed", "why"], shrink: 4 })}${lines.join("")}`;
  },
});

function wordOf(one: Receipt): Word {
  return { word: one.receipt, about: `${one.mode} to ${one.thread}, ${fate(one)}` };
}
