import * as v from "valibot";
import { threadView } from "../../contract/thread.ts";
import { selector } from "../fields.ts";
import { op } from "../op.ts";
import { threadPairs } from "../views.ts";

export default op({
  name: "thread.get",
  cli: "get",
  group: "thread",
  task: "look",
  summary: "Show one thread",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({ thread: selector() }),
  output: v.object(threadView),
  examples: [
    { given: "two threads", input: { thread: "@docs" }, output: { title: "docs", status: "idle" } },
    { given: "two threads", input: { thread: "@nobody" }, error: "not_found" },
    { given: "two threads of one title", input: { thread: "twin" }, error: "usage" },
  ],
  run: ({ thread }, { core, caller }) => core.view(core.resolve(thread, caller.thread_id, "reading")),
  view: (thread, look) => threadPairs(thread, look),
});
