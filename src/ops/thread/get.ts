import * as v from "valibot";
import { pastTurn, threadView } from "../../contract/thread.ts";
import { selector } from "../fields.ts";
import { op } from "../op.ts";
import { threadPairs } from "../threadpairs.ts";

export default op({
  name: "thread.get",
  cli: "get",
  group: "thread",
  task: "look",
  summary: "Show one thread",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({ thread: selector() }),
  output: v.object({
    ...threadView,
    /** The newest, newest first. */
    turns: v.array(pastTurn),
  }),
  examples: [
    { given: "two threads", input: { thread: "@docs" }, output: { title: "docs", status: "idle" } },
    {
      given: "a failed turn",
      input: { thread: "@docs" },
      output: { status: "error", turns: [{ status: "failed", origin: "ours" }] },
    },
    { given: "two threads", input: { thread: "@nobody" }, error: "not_found" },
    { given: "two threads of one title", input: { thread: "twin" }, error: "usage" },
  ],
  run({ thread }, { core, caller }) {
    const ref = core.resolve(thread, caller.thread_id, "reading");
    return { ...core.view(ref), turns: core.turns(ref) };
  },
  lean: ({ turns: _, ...thread }) => thread,
  view: ({ turns, ...thread }, look) =>
    turns.length < 2 ? threadPairs(thread, look) : threadPairs(thread, look, turns),
});
