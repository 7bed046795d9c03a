import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { threadView } from "../../contract/thread.ts";
import { arg, flag } from "../fields.ts";
import { leanThread } from "../lean.ts";
import { op } from "../op.ts";
import { threadPairs } from "../threadpairs.ts";
import { callerName } from "../verdict.ts";

const usualBounds = {
  turns: limits.search.syncTurns,
  items: limits.search.syncItems,
  bytes: limits.search.syncBytes,
  ms: limits.search.syncMs,
};

export default op({
  name: "thread.attach",
  cli: "attach",
  group: "thread",
  task: "start",
  summary: "Manage a thread that another app writes",
  about:
    "Reads only its metadata: the app that writes it is not disturbed. For a thread that is attached already it returns the same row.",
  intent: "write",
  reach: "any",
  repeat: "safe",
  input: v.strictObject({
    id: arg(
      v.pipe(
        v.string(),
        v.regex(/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/, "must be a Codex thread id"),
      ),
      "Codex's thread id",
      { value: "THREAD-ID", names: "stranger" },
    ),
    sync: v.optional(flag(v.boolean(), "also read its history into the search index"), false),
  }),
  output: v.object(threadView),
  asksCodex: true,
  examples: [
    {
      given: "an unmanaged thread",
      input: { id: "<thread>" },
      output: { source: "attached", title: "theirs", writable: false, handle: null },
    },
    {
      given: "an unmanaged thread",
      input: { id: "<thread>", sync: true },
      output: { source: "attached", sync: { state: "complete", turns: 1 } },
    },
    { given: "nothing", input: { id: "01a20000-0000-7000-8000-000000000000" }, error: "not_found" },
  ],
  async run({ id, sync }, { core, caller, signal }) {
    const ref = await core.attach(id, callerName(caller));
    if (sync) await core.sync(ref, usualBounds, signal);
    return core.view(ref);
  },
  lean: leanThread,
  view: (thread, look) => threadPairs(thread, look),
});
