import * as v from "valibot";
import { fail } from "../../base/error.ts";
import { selector } from "../fields.ts";
import { clientOp } from "../op.ts";

export default clientOp({
  name: "thread.open",
  cli: "open",
  group: "thread",
  task: "start",
  summary: "Open a thread in Codex's own terminal",
  about:
    "dispatch unloads the thread first, which is refused while a turn runs or a sub-agent works. Messages to it wait until the terminal is closed.",
  at: "client",
  intent: "write",
  repeat: "no",
  input: v.strictObject({ thread: selector() }),
  output: v.object({ id: v.string(), status: v.number() }),
  asksCodex: true,
  fails: ["thread_busy", "daemon_down", "denied"],
  examples: [],
  async run({ thread }, ctx) {
    if (!ctx.hasTerminal) fail("usage", "open needs a terminal", { hint: `dispatch tail ${thread}` });
    const { id } = await ctx.call("thread.unload", { thread });
    return { id: String(id), status: await ctx.runCodex(["resume", String(id)]) };
  },
  exit: ({ status }) => status,
  view: () => "",
});
