import * as v from "valibot";
import { cell } from "../../base/text.ts";
import { selector } from "../fields.ts";
import { op } from "../op.ts";

export default op({
  name: "thread.forget",
  cli: "forget",
  group: "thread",
  task: "organise",
  summary: "Stop managing a thread, which Codex keeps",
  about: "Refused while a turn runs or a sub-agent works.",
  intent: "destroy",
  repeat: "no",
  input: v.strictObject({ thread: selector() }),
  output: v.object({
    ref: v.string(),
    id: v.nullable(v.string()),
    title: v.string(),
    forgotten: v.boolean(),
  }),
  fails: ["thread_busy"],
  examples: [
    { given: "two threads", input: { thread: "@docs" }, output: { title: "docs", forgotten: true } },
    { given: "a running turn", input: { thread: "@docs" }, error: "thread_busy" },
  ],
  async run({ thread }, { core, caller }) {
    const ref = core.resolve(thread, caller.thread_id);
    const { id, title } = core.view(ref);
    await core.forget(ref);
    return { ref, id, title, forgotten: true };
  },
  several: { each: "thread" },
  view: ({ ref, title, id }) =>
    `forgot ${ref} "${cell(title)}"${id ? `; Codex keeps it as ${cell(id)}` : ""}`,
});
