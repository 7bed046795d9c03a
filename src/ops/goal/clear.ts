import * as v from "valibot";
import { selector } from "../fields.ts";
import { goalLines, goalView } from "../goalview.ts";
import { op } from "../op.ts";

export default op({
  name: "goal.clear",
  cli: "goal clear",
  group: "thread",
  task: "organise",
  summary: "Remove a thread's goal",
  intent: "destroy",
  repeat: "safe",
  input: v.strictObject({ thread: selector() }),
  output: goalView,
  asksCodex: true,
  fails: ["authority"],
  examples: [
    { given: "two threads", input: { thread: "@docs" }, output: { goal: null } },
    { given: "an attached thread", input: { thread: "theirs" }, error: "authority" },
  ],
  async run({ thread }, { core, caller }) {
    const ref = core.resolve(thread, caller.thread_id);
    await core.clearGoal(ref);
    return { ref, goal: null };
  },
  view: goalLines,
});
