import * as v from "valibot";
import { ago, block, cell, paint } from "../../base/text.ts";
import { inboxView } from "../../contract/automation.ts";
import { arg } from "../fields.ts";
import { op } from "../op.ts";

export default op({
  name: "inbox.read",
  cli: "inbox read",
  group: "thread",
  task: "answer",
  summary: "Show one message of an inbox",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    id: arg(v.pipe(v.string(), v.minLength(1)), "message: its id", { value: "ID", names: "inbox" }),
  }),
  output: v.object(inboxView),
  examples: [
    { given: "an inbox message", input: { id: "<inbox>" }, output: { text: "look here" } },
    { given: "nothing", input: { id: "nope" }, error: "not_found" },
  ],
  run: ({ id }, { core }) => core.readInbox(id),
  view: (one, look) =>
    `${paint("dim", `from ${cell(one.from)}, ${ago(one.created_at, look)}, ${one.state};`)} ${paint("bold", `dispatch inbox ack ${one.id}`)}\n${block(one.text)}`,
});
