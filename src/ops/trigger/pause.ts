import * as v from "valibot";
import { triggerView } from "../../contract/automation.ts";
import { authorizeFor, triggerArg, triggerPairs } from "../automationview.ts";
import { op } from "../op.ts";

export default op({
  name: "trigger.pause",
  cli: "trigger pause",
  group: "trigger",
  task: "automate",
  summary: "Pause a trigger",
  intent: "write",
  reach: "any",
  repeat: "safe",
  input: v.strictObject({ trigger: triggerArg() }),
  output: v.object(triggerView),
  examples: [
    {
      given: "a trigger",
      input: { trigger: "standup" },
      output: { name: "standup", state: "paused", reason: "by hand" },
    },
    { given: "a trigger", input: { trigger: "nope" }, error: "not_found" },
  ],
  run({ trigger }, { core, caller }) {
    authorizeFor(core, caller, "trigger pause", core.triggerLane(trigger));
    return core.pauseTrigger(trigger);
  },
  view: (trigger, look) => triggerPairs(trigger, look),
});
