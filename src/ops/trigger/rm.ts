import * as v from "valibot";
import { triggerView } from "../../contract/automation.ts";
import { authorizeFor, triggerArg } from "../automationview.ts";
import { op } from "../op.ts";

export default op({
  name: "trigger.rm",
  cli: "trigger rm",
  group: "trigger",
  task: "automate",
  summary: "Remove a trigger",
  intent: "destroy",
  reach: "any",
  repeat: "no",
  input: v.strictObject({ trigger: triggerArg() }),
  output: v.object(triggerView),
  examples: [
    { given: "a trigger", input: { trigger: "standup" }, output: { name: "standup" } },
    { given: "a trigger", input: { trigger: "nope" }, error: "not_found" },
  ],
  run({ trigger }, { core, caller }) {
    authorizeFor(core, caller, "trigger rm", core.triggerLane(trigger));
    return core.removeTrigger(trigger);
  },
  view: (trigger) => `removed ${trigger.name}; it fired ${trigger.fired} times`,
});
