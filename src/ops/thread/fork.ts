import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { threadView } from "../../contract/thread.ts";
import { flag, idempotencyKey, path, seen, selector } from "../fields.ts";
import { leanThread } from "../lean.ts";
import { op } from "../op.ts";
import { flagsOf, mayWriteHome, rareSettings, settingFields } from "../settings.ts";
import { threadPairs } from "../threadpairs.ts";
import { callerName } from "../verdict.ts";

export default op({
  name: "thread.fork",
  cli: "fork",
  group: "thread",
  task: "start",
  summary: "Create a thread with the history of another",
  about: "The source does not change. Refused while it runs a turn.",
  intent: "write",
  reach: "any",
  repeat: "keyed",
  rare: rareSettings,
  input: v.strictObject({
    thread: selector(),
    name: flag(
      v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(limits.input.titleCharsMax), seen),
      "the new thread's title",
      { value: "NAME" },
    ),
    last_turn: v.optional(
      flag(v.pipe(v.string(), v.nonEmpty()), "the last turn to keep; default: all turns", {
        value: "TURN-ID",
      }),
    ),
    cwd: v.optional(path("the agent's directory; default: the source's", { value: "DIR" })),
    ...settingFields,
    may_write_home: mayWriteHome,
    idempotency_key: v.optional(idempotencyKey()),
  }),
  output: v.object({ ...threadView, forked_from: v.string() }),
  asksCodex: true,
  fails: ["thread_busy", "conflict"],
  examples: [
    {
      given: "a finished turn",
      input: { thread: "@docs", name: "copy" },
      output: { title: "copy", handle: "copy", source: "own" },
    },
    { given: "a finished turn", input: { thread: "@docs", name: "docs" }, error: "conflict" },
    { given: "a running turn", input: { thread: "@docs", name: "copy" }, error: "thread_busy" },
  ],
  async run({ thread, name, last_turn, idempotency_key, requests, cwd, ...flags }, { core, caller }) {
    const source = core.resolve(thread, caller.thread_id);
    const ref = await core.fork(source, {
      name,
      last_turn: last_turn ?? null,
      flags: flagsOf(flags),
      cwd: cwd ?? null,
      requests: requests ?? null,
      key: idempotency_key ?? null,
      created_by: callerName(caller),
      agent: caller.thread_id,
    });
    return { ...core.view(ref), forked_from: source };
  },
  lean: leanThread,
  view: (thread, look) => threadPairs(thread, look),
});
