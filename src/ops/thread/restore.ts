import * as v from "valibot";
import { selector } from "../fields.ts";
import { leanMetadata, metadataLine, metadataOf, metadataView } from "../metadataview.ts";
import { op } from "../op.ts";

export default op({
  name: "thread.restore",
  cli: "restore",
  group: "thread",
  task: "organise",
  summary: "Restore an archived thread",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({
    thread: selector("thread, or the id of one that is not managed", { names: "archived" }),
  }),
  output: metadataView,
  asksCodex: true,
  examples: [
    {
      given: "an archived thread",
      input: { thread: "@docs" },
      output: { thread: { status: "idle", handle: "docs" } },
    },
    { given: "two threads", input: { thread: "@nobody" }, error: "not_found" },
  ],
  async run({ thread }, { core, caller }) {
    const place = core.target(thread, caller.thread_id);
    await core.restore(place);
    return metadataOf(core, place);
  },
  lean: leanMetadata,
  view: metadataLine("restored"),
});
