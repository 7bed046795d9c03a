import * as v from "valibot";
import { threadView } from "../../contract/thread.ts";
import { selector } from "../fields.ts";
import { leanThread } from "../lean.ts";
import { op } from "../op.ts";
import { mayWriteHome } from "../settings.ts";
import { threadPairs } from "../threadpairs.ts";

export default op({
  name: "thread.take",
  cli: "take",
  group: "thread",
  task: "start",
  summary: "Take over an attached thread",
  about:
    "dispatch then writes the thread, and Codex refuses other apps. Refused while another app holds the thread.",
  intent: "write",
  reach: "never",
  repeat: "safe",
  rare: ["may_write_home"],
  input: v.strictObject({ thread: selector(), may_write_home: mayWriteHome }),
  output: v.object(threadView),
  asksCodex: true,
  fails: ["authority"],
  examples: [
    {
      given: "an attached thread",
      input: { thread: "theirs" },
      output: { source: "own", writable: true, handle: "theirs" },
    },
    { given: "a thread held elsewhere", input: { thread: "theirs" }, error: "authority" },
  ],
  async run({ thread, may_write_home }, { core, caller }) {
    const ref = core.resolve(thread, caller.thread_id);
    await core.take(ref, may_write_home === true);
    return core.view(ref);
  },
  lean: leanThread,
  view: (thread, look) => threadPairs(thread, look),
});
