import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { cell } from "../../base/text.ts";
import { threadView } from "../../contract/thread.ts";
import { seconds, selector } from "../fields.ts";
import { op } from "../op.ts";

export default op({
  name: "thread.stop",
  cli: "stop",
  group: "message",
  task: "send",
  summary: "Stop the running turn and the sub-agents",
  about:
    "Returns when the turn and the sub-agents have ended. If nothing runs, that is a success. An active goal is paused.",
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
    agents_stopped: v.array(v.string()),
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
  lean: ({ ref, state, goal_paused, agents, agents_stopped }) => ({
    ref,
    state,
    goal_paused: goal_paused || null,
    agents_stopped: agents_stopped.length || null,
    agents_working: agents.length || null,
  }),
  several: { each: "thread" },
  view({ ref, state, goal_paused, agents, agents_stopped }) {
    const result = {
      stopped: "stopped",
      pending: `interrupt requested; ${agents.length > 0 ? "not everything has ended" : "the turn has not ended"} yet`,
      nothing_running: "no turn was running",
    }[state];
    const ended =
      agents_stopped.length === 0
        ? ""
        : `; sub-agents ended: ${agents_stopped.map((id) => cell(id)).join(", ")}`;
    return `${ref}: ${result}${ended}${goal_paused ? "; its goal is paused" : ""}`;
  },
});
