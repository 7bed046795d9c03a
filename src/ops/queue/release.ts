import * as v from "valibot";
import { threadView } from "../../contract/thread.ts";
import { selector } from "../fields.ts";
import { leanThread } from "../lean.ts";
import { op } from "../op.ts";
import { threadPairs } from "../threadpairs.ts";

export default op({
  name: "queue.release",
  cli: "queue release",
  group: "message",
  task: "send",
  summary: "Release a held queue, whatever the reason of the hold",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({ thread: selector() }),
  output: v.object(threadView),
  examples: [
    {
      given: "a held queue",
      input: { thread: "@docs" },
      output: { queue: { pending: 1, held: false, reason: null } },
    },
  ],
  run({ thread }, { core, caller }) {
    const ref = core.resolve(thread, caller.thread_id);
    core.release(ref);
    return core.view(ref);
  },
  lean: leanThread,
  view: (thread, look) => threadPairs(thread, look),
});
