import * as v from "valibot";
import { triggerView } from "../../contract/automation.ts";
import { authorizeFor, triggerArg, triggerPairs } from "../automationview.ts";
import { op } from "../op.ts";

export default op({
  name: "trigger.resume",
  cli: "trigger resume",
  group: "trigger",
  task: "automate",
  summary: "Let a paused trigger go on from now",
  intent: "write",
  reach: "any",
  repeat: "safe",
  input: v.strictObject({ trigger: triggerArg() }),
  output: v.object(triggerView),
  examples: [
    { given: "a trigger", input: { trigger: "standup" }, output: { name: "standup" } },
    { given: "a trigger", input: { trigger: "nope" }, error: "not_found" },
  ],
  run({ trigger }, { core, caller }) {
    authorizeFor(core, caller, "trigger resume", core.triggerLane(trigger));
    return core.resumeTrigger(trigger);
  },
  view: (trigger, look) => triggerPairs(trigger, look),
});
