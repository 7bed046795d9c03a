import * as v from "valibot";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { ago, cell, type Look, paint, wrap } from "../../base/text.ts";
import { arg, count, cursorFlag, flag, moment, path } from "../fields.ts";
import { op } from "../op.ts";
import { moreLine } from "../views.ts";

const match = v.object({
  ref: v.nullable(v.string()),
  id: v.nullable(v.string()),
  title: v.string(),
  cwd: v.string(),
  type: v.nullable(v.string()),
  snippet: v.string(),
  hit: v.nullable(v.object({ start: v.number(), end: v.number() })),
  turn_id: v.nullable(v.string()),
  item_id: v.nullable(v.string()),
  at: v.string(),
  source: v.picklist(["index", "codex"]),
});

export default op({
  name: "thread.search",
  cli: "search",
  group: "thread",
  task: "look",
  summary: "Search the messages, commands and changes of all threads",
  about:
    'All words must occur, in any order; "words in quotes" are a phrase. Any part of a text in Chinese, Japanese, Korean or Thai is found, and emoji. The local index answers first (messages, commands and their output, file changes, errors), newest first. Then Codex\'s own search answers for threads that are not completely indexed: it searches the text as typed, in messages only, and shows one place per thread unless --thread names the thread. Times are days, times, ages (2h, 3d), today or yesterday, in your zone.',
  intent: "read",
  repeat: "safe",
  rare: ["date_field", "sort", "ascending", "repo", "managed", "unmanaged", "archived"],
  input: v.strictObject({
    text: arg(v.pipe(v.string(), v.maxLength(limits.search.textCharsMax)), "words, or a phrase in quotes", {
      value: "TEXT",
    }),
    managed: v.optional(flag(v.boolean(), "only threads that dispatch manages"), false),
    unmanaged: v.optional(flag(v.boolean(), "only threads that dispatch does not manage"), false),
    thread: v.optional(
      flag(v.string(), "only this thread, or a thread id", { value: "THREAD", names: "thread" }),
    ),
    repo: v.optional(path("only in the repository that contains this directory", { value: "DIR" })),
    dir: v.optional(path("only in this directory or below it", { value: "DIR" })),
    archived: v.optional(flag(v.boolean(), "the archived threads instead"), false),
    since: v.optional(moment("from this time on", "first")),
    until: v.optional(moment("up to this time", "last")),
    date_field: v.optional(
      flag(v.picklist(["at", "created_at", "updated_at"]), "the date of the match, or of its thread"),
      "at",
    ),
    sort: v.optional(
      flag(v.picklist(["date", "relevance"]), `relevance: the best of the newest ${limits.search.rankedMax}`),
      "date",
    ),
    ascending: v.optional(flag(v.boolean(), "oldest first"), false),
    limit: v.optional(count("at most this many", limits.input.pageMax), 20),
    cursor: v.optional(cursorFlag()),
  }),
  output: v.object({
    matches: v.array(match),
    next_cursor: v.nullable(v.string()),
    truncated: v.boolean(),
    note: v.nullable(v.string()),
  }),
  examples: [
    {
      given: "a finished turn",
      input: { text: "hello" },
      output: {
        matches: [
          { title: "docs", type: "agent_message", snippet: "ok: hello", source: "index" },
          { type: "user_message", snippet: "hello" },
        ],
        next_cursor: null,
        truncated: false,
      },
    },
    {
      given: "an unmanaged thread",
      input: { text: "hello" },
      output: { matches: [{ ref: null, title: "theirs", source: "codex" }] },
    },
    { given: "Codex is down", input: { text: "hello" }, output: { matches: [], truncated: true } },
    { given: "nothing", input: { text: "--" }, error: "usage" },
    { given: "nothing", input: { text: "hello", managed: true, unmanaged: true }, error: "usage" },
    { given: "nothing", input: { text: "hello", thread: "nobody" }, error: "not_found" },
  ],
  run({ text, managed, unmanaged, thread, repo, dir, since, until, date_field, cursor, ...rest }, ctx) {
    const { core, caller } = ctx;
    if (managed && unmanaged)
      fail("usage", "--managed and --unmanaged exclude each other", { hint: "leave both out to search all" });
    return core.search({
      ...rest,
      text,
      scope: managed ? "managed" : unmanaged ? "unmanaged" : "all",
      thread: thread === undefined ? null : core.target(thread, caller.thread_id, "reading"),
      repo: repo ?? null,
      dir: dir ?? null,
      since: since === undefined ? null : Date.parse(since),
      until: until === undefined ? null : Date.parse(until),
      dateField: date_field,
      cursor: cursor ?? null,
    });
  },
  view: ({ matches, next_cursor, note }, look) => {
    const lines = matches.map((match) => rendered(match, look));
    if (matches.length === 0) lines.push("nothing found");
    if (next_cursor) lines.push(moreLine("more", `--cursor ${next_cursor}`));
    if (note) lines.push(paint("yellow", cell(note)));
    return lines.join("\n");
  },
});

type Match = v.InferOutput<typeof match>;

function rendered(found: Match, look: Look): string {
  const { ref, id, title, type, source, at } = found;
  const who = ref === null ? `${cell(id)}  ${paint("dim", "not managed")}` : paint("bold", ref);
  const head = `${who}  ${cell(title)}  ${paint("dim", `${cell(type ?? source)}, ${ago(at, look)}`)}`;
  return `${head}\n  ${wrap(shown(found), look.width - 2).replaceAll("\n", "\n  ")}`;
}

/** The snippet with the hit highlighted. */
function shown({ snippet, hit }: Match): string {
  if (hit === null) return cell(snippet);
  const parts = [snippet.slice(0, hit.start), snippet.slice(hit.start, hit.end), snippet.slice(hit.end)];
  const [before, at, after] = parts.map((part) => (part.trim() === "" ? part.slice(0, 1) : spaced(part)));
  return `${before}${paint("bold", paint("yellow", at!))}${after}`;
}

/** `cell` trims, but the spaces between two parts must stay. */
function spaced(part: string): string {
  return `${part.startsWith(" ") ? " " : ""}${cell(part)}${part.endsWith(" ") ? " " : ""}`;
}
