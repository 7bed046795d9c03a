import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { threadView } from "../../contract/thread.ts";
import { count, selector } from "../fields.ts";
import { leanThread } from "../lean.ts";
import { op } from "../op.ts";
import { threadPairs } from "../threadpairs.ts";

export default op({
  name: "thread.revert",
  cli: "revert",
  group: "thread",
  task: "organise",
  summary: "Remove the last turns from a thread's history",
  about: "It changes only the history: files stay as the turns left them. Refused while a turn runs.",
  intent: "destroy",
  repeat: "no",
  input: v.strictObject({ thread: selector(), turns: count("how many turns", limits.wire.pageMax) }),
  output: v.object({ ...threadView, reverted: v.number() }),
  asksCodex: true,
  fails: ["thread_busy", "authority"],
  examples: [
    {
      given: "a finished turn",
      input: { thread: "@docs", turns: 1 },
      output: { reverted: 1, latest_turn: null, last_message: null },
    },
    { given: "a finished turn", input: { thread: "@docs", turns: 2 }, error: "usage" },
    { given: "a running turn", input: { thread: "@docs", turns: 1 }, error: "thread_busy" },
    { given: "an attached thread", input: { thread: "theirs", turns: 1 }, error: "authority" },
  ],
  async run({ thread, turns }, { core, caller }) {
    const ref = core.resolve(thread, caller.thread_id);
    await core.revert(ref, turns);
    return { ...core.view(ref), reverted: turns };
  },
  lean: leanThread,
  view: (thread, look) => threadPairs(thread, look),
});
