import * as v from "valibot";
import { receiptView } from "../../contract/receipt.ts";
import { arg } from "../fields.ts";
import { leanReceipt } from "../lean.ts";
import { op } from "../op.ts";
import { receiptPairs } from "../views.ts";

export default op({
  name: "receipt.reconcile",
  cli: "receipt reconcile",
  also: "delivery reconcile",
  group: "message",
  task: "send",
  summary: "Search Codex's history for a message and settle its state",
  intent: "write",
  reach: "any",
  repeat: "safe",
  input: v.strictObject({
    id: arg(v.pipe(v.string(), v.nonEmpty()), "the receipt", { value: "RECEIPT", names: "receipt" }),
  }),
  output: v.object(receiptView),
  asksCodex: true,
  examples: [
    { given: "a finished turn", input: { id: "<receipt>" }, output: { state: "done" } },
    { given: "an unsure message", input: { id: "<receipt>" }, output: { state: "unsure" } },
  ],
  run: ({ id }, { core }) => core.reconcile(id),
  lean: leanReceipt,
  view: (receipt, look) => receiptPairs(receipt, look),
});
