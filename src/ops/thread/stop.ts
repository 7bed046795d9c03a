import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { threadView } from "../../contract/thread.ts";
import { seconds, selector } from "../fields.ts";
import { op } from "../op.ts";

export default op({
  name: "thread.stop",
  cli: "stop",
  group: "message",
  task: "send",
  summary: "Stop the running turn",
  about: "Returns when the turn has ended. If no turn runs, that is a success. An active goal is paused.",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({
    thread: selector(),
    timeout: v.optional(seconds("how long to wait for the end"), limits.thread.stopTimeoutMs / 1000),
  }),
  output: v.object({
    ...threadView,
    state: v.picklist(["stopped", "pending", "nothing_running"]),
    turn_id: v.nullable(v.string()),
    goal_paused: v.boolean(),
  }),
  asksCodex: true,
  fails: ["authority"],
  examples: [
    { given: "a running turn", input: { thread: "@docs" }, output: { state: "stopped", status: "idle" } },
    { given: "two threads", input: { thread: "@docs" }, output: { state: "nothing_running", turn_id: null } },
    { given: "an attached thread", input: { thread: "theirs" }, error: "authority" },
  ],
  async run({ thread, timeout }, { core, caller }) {
    const ref = core.resolve(thread, caller.thread_id);
    const stopped = await core.stop(ref, timeout * 1000);
    return { ...core.view(ref), ...stopped };
  },
  lean: ({ ref, state, goal_paused }) => ({ ref, state, goal_paused: goal_paused || null }),
  several: { each: "thread" },
  view({ ref, state, goal_paused }) {
    const result = {
      stopped: "stopped",
      pending: "interrupt requested; the turn has not ended yet",
      nothing_running: "no turn was running",
    }[state];
    return `${ref}: ${result}${goal_paused ? "; its goal is paused" : ""}`;
  },
});
