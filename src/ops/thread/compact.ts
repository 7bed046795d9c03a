import * as v from "valibot";
import { threadView } from "../../contract/thread.ts";
import { selector } from "../fields.ts";
import { leanThread } from "../lean.ts";
import { op } from "../op.ts";
import { threadPairs } from "../threadpairs.ts";

export default op({
  name: "thread.compact",
  cli: "compact",
  group: "thread",
  task: "organise",
  summary: "Compact the history of a thread",
  about: "Codex summarises the history in its own turn. Refused while a turn runs.",
  intent: "write",
  repeat: "no",
  input: v.strictObject({ thread: selector() }),
  output: v.object(threadView),
  asksCodex: true,
  fails: ["thread_busy", "authority"],
  examples: [
    { given: "a finished turn", input: { thread: "@docs" }, output: { source: "own" } },
    { given: "a running turn", input: { thread: "@docs" }, error: "thread_busy" },
    { given: "an attached thread", input: { thread: "theirs" }, error: "authority" },
  ],
  async run({ thread }, { core, caller }) {
    const ref = core.resolve(thread, caller.thread_id);
    await core.compact(ref);
    return core.view(ref);
  },
  lean: leanThread,
  view: (thread, look) => threadPairs(thread, look),
});
