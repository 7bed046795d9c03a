import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { arg, seen, selector } from "../fields.ts";
import { leanMetadata, metadataLine, metadataOf, metadataView } from "../metadataview.ts";
import { op } from "../op.ts";

export default op({
  name: "thread.rename",
  cli: "rename",
  group: "thread",
  task: "organise",
  summary: "Rename a thread",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({
    thread: selector("thread, or the id of one that is not managed"),
    name: arg(
      v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(limits.input.titleCharsMax), seen),
      "the new title",
    ),
  }),
  output: metadataView,
  asksCodex: true,
  fails: ["conflict"],
  examples: [
    {
      given: "two threads",
      input: { thread: "@docs", name: "Manual" },
      output: { thread: { title: "Manual", handle: "manual" } },
    },
    { given: "two threads", input: { thread: "@docs", name: "reviewer" }, error: "conflict" },
    { given: "Codex is down", input: { thread: "@docs", name: "Manual" }, error: "agent_down" },
  ],
  async run({ thread, name }, { core, caller }) {
    const place = core.target(thread, caller.thread_id);
    await core.rename(place, name, caller.thread_id);
    return metadataOf(core, place);
  },
  lean: leanMetadata,
  view: metadataLine("renamed"),
});
