import * as v from "valibot";
import { threadView } from "../../contract/thread.ts";
import { selector } from "../fields.ts";
import { leanThread } from "../lean.ts";
import { op } from "../op.ts";
import { threadPairs } from "../threadpairs.ts";

export default op({
  name: "thread.give",
  cli: "give",
  group: "thread",
  task: "organise",
  summary: "Give a thread back to other apps",
  about:
    "The thread is attached afterwards. Returns when another app can open it. Refused while a turn runs or a sub-agent works.",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({ thread: selector() }),
  output: v.object(threadView),
  asksCodex: true,
  fails: ["thread_busy"],
  examples: [
    {
      given: "a finished turn",
      input: { thread: "@docs" },
      output: { source: "attached", writable: false, handle: null },
    },
    { given: "a running turn", input: { thread: "@docs" }, error: "thread_busy" },
  ],
  async run({ thread }, { core, caller }) {
    const ref = core.resolve(thread, caller.thread_id);
    await core.give(ref);
    return core.view(ref);
  },
  lean: leanThread,
  view: (thread, look) => threadPairs(thread, look),
});
