import * as v from "valibot";
import { selector } from "../fields.ts";
import { goalLines, goalOf, goalView } from "../goalview.ts";
import { op } from "../op.ts";

export default op({
  name: "goal.status",
  cli: "goal status",
  group: "thread",
  task: "organise",
  summary: "Show a thread's goal",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({ thread: selector() }),
  output: goalView,
  asksCodex: true,
  examples: [
    { given: "two threads", input: { thread: "@docs" }, output: { goal: null } },
    {
      given: "an interrupted goal",
      input: { thread: "@docs" },
      output: { goal: { objective: "ship it", status: "paused" } },
    },
  ],
  async run({ thread }, { core, caller }) {
    const ref = core.resolve(thread, caller.thread_id, "reading");
    return goalOf(core, ref, await core.goal(ref));
  },
  view: goalLines,
});
