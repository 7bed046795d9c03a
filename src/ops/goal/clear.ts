import * as v from "valibot";
import { selector } from "../fields.ts";
import { goalView, goalWords } from "../goalview.ts";
import { op } from "../op.ts";

export default op({
  name: "goal.clear",
  cli: "goal clear",
  group: "thread",
  summary: "Drop a thread's goal",
  intent: "destroy",
  repeat: "safe",
  input: v.strictObject({ thread: selector() }),
  output: goalView,
  fails: ["usage", "not_found", "authority", "agent_down", "agent", "daemon_down", "denied", "storage"],
  examples: [{ given: "two threads", input: { thread: "@docs" }, output: { goal: null } }],
  async run({ thread }, { core, caller }) {
    const ref = core.resolve(thread, caller.thread_id);
    await core.clearGoal(ref);
    return { ref, goal: null };
  },
  view: goalWords,
});
