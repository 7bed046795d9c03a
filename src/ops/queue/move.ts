import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { receiptView } from "../../contract/receipt.ts";
import { arg, count } from "../fields.ts";
import { leanReceipt } from "../lean.ts";
import { op } from "../op.ts";
import { receiptPairs } from "../views.ts";

export default op({
  name: "queue.move",
  cli: "queue move",
  group: "message",
  task: "send",
  summary: "Move a queued message within its queue",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({
    id: arg(v.pipe(v.string(), v.nonEmpty()), "its receipt", { value: "RECEIPT", names: "queued" }),
    to: count("its new position; 1 is next", limits.message.queuedPerThreadMax),
  }),
  output: v.object({ ...receiptView, place: v.number() }),
  fails: ["conflict"],
  examples: [
    { given: "a queue", input: { id: "<third>", to: 1 }, output: { state: "queued", place: 1 } },
    { given: "a finished turn", input: { id: "<receipt>", to: 1 }, error: "conflict" },
  ],
  run: ({ id, to }, { core }) => core.move(id, to),
  see: "To queue a message for a thread: dispatch send --queue",
  lean: leanReceipt,
  view: (receipt, look) => `${receiptPairs(receipt, look)}\nposition ${receipt.place}`,
});
