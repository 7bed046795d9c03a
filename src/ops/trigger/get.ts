import * as v from "valibot";
import { firingView, triggerView } from "../../contract/automation.ts";
import { firingTable, triggerArg, triggerPairs } from "../automationview.ts";
import { op } from "../op.ts";

export default op({
  name: "trigger.get",
  cli: "trigger get",
  group: "trigger",
  task: "automate",
  summary: "Show one trigger, and its last firings",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({ trigger: triggerArg() }),
  output: v.object({ ...triggerView, firings: v.array(v.object(firingView)) }),
  examples: [
    { given: "a trigger", input: { trigger: "standup" }, output: { name: "standup", firings: [] } },
    { given: "a trigger", input: { trigger: "nope" }, error: "not_found" },
  ],
  run: ({ trigger }, { core }) => core.trigger(trigger),
  view: ({ firings, ...trigger }, look) => `${triggerPairs(trigger, look)}\n\n${firingTable(firings, look)}`,
});
