import * as v from "valibot";
import { cell } from "../../base/text.ts";
import { causeObject, receiptView } from "../../contract/receipt.ts";
import { arg } from "../fields.ts";
import { op } from "../op.ts";
import { receiptPairs } from "../views.ts";

export default op({
  name: "receipt.get",
  cli: "receipt get",
  also: "delivery get",
  group: "thread",
  task: "send",
  summary: "Show the state of a message",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    id: arg(v.pipe(v.string(), v.nonEmpty()), "the receipt", { value: "RECEIPT", names: "receipt" }),
  }),
  output: v.object({
    ...receiptView,
    /** Who wrote the message: a client, a thread's id, a trigger or a subscription. */
    by: v.nullable(v.string()),
    caused_by: v.array(causeObject),
  }),
  examples: [
    { given: "a finished turn", input: { id: "<receipt>" }, output: { state: "done", by: "cli" } },
    { given: "nothing", input: { id: "no-such-receipt" }, error: "not_found" },
  ],
  run: ({ id }, { core }) => ({ ...core.receipt(id), by: core.writer(id), caused_by: core.causes(id) }),
  view({ caused_by, by, ...receipt }, look) {
    const chain = caused_by.map(
      ({ cause, thread, by: writer }) =>
        `  ${cell(cause)}${thread ? ` in ${thread}` : ""}${writer ? ` by ${cell(writer)}` : ""}`,
    );
    return [receiptPairs(receipt, look, by), ...(chain.length > 0 ? ["caused by", ...chain] : [])].join("\n");
  },
});
