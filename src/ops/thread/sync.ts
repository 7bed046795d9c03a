import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { pairs } from "../../base/table.ts";
import { ago, cell, paint } from "../../base/text.ts";
import { threadView } from "../../contract/thread.ts";
import { count, flag, seconds, selector } from "../fields.ts";
import { leanThread } from "../lean.ts";
import { op } from "../op.ts";
import { callerName } from "../verdict.ts";

const most = Number.MAX_SAFE_INTEGER;

export default op({
  name: "thread.sync",
  cli: "sync",
  group: "thread",
  task: "organise",
  summary: "Read a thread's history into the search index",
  about: `Reads from the newest turn back, at most ${limits.search.syncTurns} turns, ${limits.search.syncItems} items, ${limits.search.syncBytes / 1024 / 1024} MiB or ${limits.search.syncMs / 1000} s. The next sync reads new turns and continues where this one stopped. A sync never removes anything from the index and never changes the thread. The id of a thread that is not managed attaches it first.`,
  intent: "write",
  reach: "any",
  repeat: "safe",
  rare: ["max_turns", "max_items", "max_bytes", "max_seconds"],
  input: v.strictObject({
    thread: selector("thread, or the id of one that is not managed"),
    full: v.optional(flag(v.boolean(), "the whole history, without the default limits"), false),
    max_turns: v.optional(count("at most this many turns", most)),
    max_items: v.optional(count("stop after the turn with this item", most)),
    max_bytes: v.optional(count("stop after the turn with this byte of text", most)),
    max_seconds: v.optional(seconds("stop after the turn that is read at this time")),
  }),
  output: v.object(threadView),
  asksCodex: true,
  examples: [
    {
      given: "a finished turn",
      input: { thread: "@docs" },
      output: { sync: { state: "complete", turns: 1, items: 2, source: "history", truncated: false } },
    },
    {
      given: "an unmanaged thread",
      input: { thread: "<thread>" },
      output: { source: "attached", writable: false, sync: { state: "complete" } },
    },
    { given: "nothing", input: { thread: "nobody" }, error: "not_found" },
    { given: "Codex is down", input: { thread: "@docs" }, error: "agent_down" },
  ],
  async run({ thread, full, max_turns, max_items, max_bytes, max_seconds }, { core, caller, signal }) {
    const place = core.target(thread, caller.thread_id);
    const ref = "ref" in place ? place.ref : await core.attach(place.threadId, callerName(caller));
    const bound = (given: number | undefined, standard: number) => given ?? (full ? null : standard);
    const bounds = {
      turns: bound(max_turns, limits.search.syncTurns),
      items: bound(max_items, limits.search.syncItems),
      bytes: bound(max_bytes, limits.search.syncBytes),
      ms: bound(max_seconds === undefined ? undefined : max_seconds * 1000, limits.search.syncMs),
    };
    await core.sync(ref, bounds, signal);
    return core.view(ref);
  },
  lean: leanThread,
  view: ({ ref, title, sync }, look) => {
    const size = `${sync.turns} turns, ${sync.items} items, ${(sync.bytes / 1024).toFixed(0)} KiB`;
    const rows: [string, string][] = [
      ["thread", `${paint("bold", ref)}  ${cell(title)}`],
      ["index", `${sync.state}: ${size}, read ${ago(sync.last_synced_at, look)}`],
    ];
    if (sync.truncated) rows.push(["more", paint("bold", `dispatch sync ${ref} --full`)]);
    return pairs(rows, look);
  },
});
