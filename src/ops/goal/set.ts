import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { arg, flag, seen, selector } from "../fields.ts";
import { goalLines, goalOf, goalView } from "../goalview.ts";
import { op } from "../op.ts";

export default op({
  name: "goal.set",
  cli: "goal set",
  group: "message",
  task: "organise",
  summary: "Set or change a thread's goal",
  about: "An active goal starts turns by itself, one after the other, until Codex marks it complete.",
  intent: "write",
  repeat: "safe",
  rare: ["token_budget"],
  input: v.strictObject({
    thread: selector(),
    objective: v.optional(
      arg(
        v.pipe(v.string(), v.nonEmpty(), v.maxLength(limits.input.goalCharsMax), seen),
        "the objective; default: the current one",
      ),
    ),
    status: v.optional(flag(v.picklist(["active", "paused"]), "default: active for a new goal")),
    token_budget: v.optional(
      flag(
        v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(Number.MAX_SAFE_INTEGER)),
        "how many tokens it may use",
        { value: "N" },
      ),
    ),
  }),
  output: goalView,
  asksCodex: true,
  fails: ["authority", "thread_busy"],
  examples: [
    {
      given: "two threads",
      input: { thread: "@docs", objective: "ship it", status: "paused" },
      output: { goal: { objective: "ship it", status: "paused" } },
    },
    { given: "two threads", input: { thread: "@docs", status: "paused" }, error: "usage" },
    { given: "an attached thread", input: { thread: "theirs", objective: "ship it" }, error: "authority" },
    {
      given: "as many turns as are allowed",
      input: { thread: "@docs", objective: "ship it" },
      error: "thread_busy",
    },
  ],
  async run({ thread, objective, status, token_budget }, { core, caller }) {
    const ref = core.resolve(thread, caller.thread_id);
    const change = {
      ...(objective === undefined ? {} : { objective }),
      ...(status === undefined ? {} : { status }),
      ...(token_budget === undefined ? {} : { token_budget }),
    };
    return goalOf(core, ref, await core.setGoal(ref, change));
  },
  view: goalLines,
});
