import * as v from "valibot";
import { selector } from "../fields.ts";
import { op } from "../op.ts";

/** The request that `open` sends before it starts Codex in the terminal. */
export default op({
  name: "thread.unload",
  cli: "unload",
  group: "thread",
  task: "organise",
  summary: "Unload a thread so that another app can open it",
  intent: "write",
  repeat: "safe",
  hidden: true,
  input: v.strictObject({ thread: selector() }),
  output: v.object({ id: v.string() }),
  asksCodex: true,
  fails: ["thread_busy", "conflict"],
  examples: [
    { given: "a finished turn", input: { thread: "@docs" }, output: {} },
    { given: "a running turn", input: { thread: "@docs" }, error: "thread_busy" },
    { given: "an ephemeral thread", input: { thread: "@passing" }, error: "conflict" },
  ],
  run: async ({ thread }, { core, caller }) => ({
    id: await core.unload(core.resolve(thread, caller.thread_id)),
  }),
  view: ({ id }) => id,
});
