import * as v from "valibot";
import { receiptView } from "../../contract/receipt.ts";
import { arg, flag } from "../fields.ts";
import { leanReceipt } from "../lean.ts";
import { op } from "../op.ts";
import { callerName } from "../verdict.ts";
import { receiptPairs } from "../views.ts";

export default op({
  name: "receipt.resolve",
  cli: "receipt resolve",
  group: "message",
  task: "send",
  summary: "Settle an unsure message by hand",
  about:
    "Check first: dispatch tail THREAD shows whether the text is there. resend puts it back into the queue.",
  intent: "write",
  repeat: "no",
  input: v.strictObject({
    id: arg(v.pipe(v.string(), v.nonEmpty()), "the receipt", { value: "RECEIPT", names: "unsure" }),
    as: flag(v.picklist(["delivered", "not-delivered", "resend"]), "what you found"),
  }),
  output: v.object(receiptView),
  fails: ["conflict"],
  examples: [
    {
      given: "an unsure message",
      input: { id: "<receipt>", as: "delivered" },
      output: { state: "done", outcome: null },
    },
    {
      given: "an unsure message",
      input: { id: "<receipt>", as: "not-delivered" },
      output: { state: "failed" },
    },
    {
      given: "an unsure message",
      input: { id: "<receipt>", as: "resend" },
      output: { state: "queued", held: null },
    },
    { given: "a finished turn", input: { id: "<receipt>", as: "resend" }, error: "conflict" },
  ],
  run: ({ id, as }, { core, caller }) => core.resolveUnsure(id, as, callerName(caller)),
  lean: leanReceipt,
  view: (receipt, look) => receiptPairs(receipt, look),
});
