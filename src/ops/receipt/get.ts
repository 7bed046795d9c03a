import * as v from "valibot";
import { receiptView } from "../../contract/receipt.ts";
import { arg } from "../fields.ts";
import { op } from "../op.ts";
import { receiptPairs } from "../views.ts";

export default op({
  name: "receipt.get",
  cli: "receipt get",
  group: "thread",
  summary: "Show the state of a message",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    id: arg(v.pipe(v.string(), v.nonEmpty()), "the receipt", { value: "RECEIPT", names: "receipt" }),
  }),
  output: v.object(receiptView),
  examples: [{ given: "nothing", input: { id: "no-such-receipt" }, error: "not_found" }],
  run: ({ id }, { core }) => core.receipt(id),
  view: (receipt, look) => receiptPairs(receipt, look),
});
