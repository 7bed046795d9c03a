import * as v from "valibot";
import { selector } from "../fields.ts";
import { leanMetadata, metadataLine, metadataOf, metadataView } from "../metadataview.ts";
import { op } from "../op.ts";

export default op({
  name: "thread.archive",
  cli: "archive",
  group: "thread",
  task: "organise",
  summary: "Archive a thread",
  about:
    "Refused while a turn runs, a sub-agent works or messages wait, because Codex would interrupt the work.",
  intent: "destroy",
  undoable: true,
  repeat: "safe",
  input: v.strictObject({ thread: selector("thread, or the id of one that is not managed") }),
  output: metadataView,
  asksCodex: true,
  fails: ["thread_busy", "authority"],
  examples: [
    {
      given: "a finished turn",
      input: { thread: "@docs" },
      output: { thread: { status: "archived", writable: false } },
    },
    { given: "a running turn", input: { thread: "@docs" }, error: "thread_busy" },
    { given: "a held queue", input: { thread: "@docs" }, error: "thread_busy" },
    { given: "a thread held elsewhere", input: { thread: "theirs" }, error: "authority" },
  ],
  async run({ thread }, { core, caller }) {
    const place = core.target(thread, caller.thread_id);
    await core.archive(place);
    return metadataOf(core, place);
  },
  lean: leanMetadata,
  several: { each: "thread" },
  view: metadataLine("archived"),
});
