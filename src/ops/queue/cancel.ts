import * as v from "valibot";
import { receiptView } from "../../contract/receipt.ts";
import { arg } from "../fields.ts";
import { leanReceipt } from "../lean.ts";
import { op } from "../op.ts";
import { receiptPairs } from "../views.ts";

export default op({
  name: "queue.cancel",
  cli: "queue cancel",
  group: "message",
  task: "send",
  summary: "Cancel a queued message",
  intent: "write",
  repeat: "no",
  input: v.strictObject({
    id: arg(v.pipe(v.string(), v.nonEmpty()), "its receipt", { value: "RECEIPT", names: "queued" }),
  }),
  output: v.object(receiptView),
  fails: ["conflict"],
  examples: [
    { given: "a queue", input: { id: "<second>" }, output: { state: "cancelled" } },
    { given: "a finished turn", input: { id: "<receipt>" }, error: "conflict" },
    { given: "nothing", input: { id: "nonsense" }, error: "not_found" },
  ],
  run: ({ id }, { core }) => core.cancel(id),
  lean: leanReceipt,
  view: (receipt, look) => receiptPairs(receipt, look),
});
