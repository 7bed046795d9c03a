import * as v from "valibot";
import { threadView } from "../../contract/thread.ts";
import { selector } from "../fields.ts";
import { leanThread } from "../lean.ts";
import { op } from "../op.ts";
import { threadPairs } from "../threadpairs.ts";

export default op({
  name: "queue.hold",
  cli: "queue hold",
  group: "message",
  task: "send",
  summary: "Hold a queue until it is released",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({ thread: selector() }),
  output: v.object(threadView),
  examples: [
    {
      given: "a queue",
      input: { thread: "@docs" },
      output: { queue: { pending: 3, held: true, reason: "by_hand" } },
    },
  ],
  run({ thread }, { core, caller }) {
    const ref = core.resolve(thread, caller.thread_id);
    core.hold(ref);
    return core.view(ref);
  },
  lean: leanThread,
  view: (thread, look) => threadPairs(thread, look),
});
