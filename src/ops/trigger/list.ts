import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { triggerView } from "../../contract/automation.ts";
import { triggerTable } from "../automationview.ts";
import { count } from "../fields.ts";
import { op } from "../op.ts";

export default op({
  name: "trigger.list",
  cli: "trigger list",
  group: "trigger",
  task: "automate",
  summary: "List the triggers, newest first",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({ limit: v.optional(count("at most this many", limits.input.pageMax), 100) }),
  output: v.object({ triggers: v.array(v.object(triggerView)) }),
  examples: [
    { given: "a trigger", input: {}, output: { triggers: [{ name: "standup", state: "active" }] } },
    { given: "nothing", input: {}, output: { triggers: [] } },
  ],
  lists: {
    trigger: {
      input: { limit: limits.input.pageMax },
      words: ({ triggers }) => triggers.map(({ name, id }) => ({ word: name, about: id })),
    },
  },
  run: ({ limit }, { core }) => ({ triggers: core.triggers(limit) }),
  view: ({ triggers }, look) => triggerTable(triggers, look),
});
