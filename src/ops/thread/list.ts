import * as v from "valibot";
import { iso } from "../../base/clock.ts";
import { pageOf } from "../../base/cursor.ts";
import { fail } from "../../base/error.ts";
import { joinHost } from "../../base/hostref.ts";
import { limits } from "../../base/limits.ts";
import { table } from "../../base/table.ts";
import { ago, cell, type Look } from "../../base/text.ts";
import { type ThreadSummary, type ThreadView, threadObject, threadSummary } from "../../contract/thread.ts";
import { threadSources, threadStatuses } from "../../contract/words.ts";
import { count, cursorFlag, flag, path } from "../fields.ts";
import { leanSummary } from "../lean.ts";
import { op, type Word } from "../op.ts";
import { largerLimit, summaryOf, threadTable, underParents, withMore } from "../views.ts";

const stranger = v.object({
  id: v.string(),
  title: v.nullable(v.string()),
  preview: v.string(),
  cwd: v.string(),
  status: v.picklist(["not_loaded", "idle", "active", "system_error"]),
  source: v.string(),
  /** For a sub-agent: the thread that spawned it. */
  parent_id: v.nullable(v.string()),
  created_at: v.string(),
  updated_at: v.string(),
});
type Stranger = v.InferOutput<typeof stranger>;

export default op({
  name: "thread.list",
  cli: "list",
  group: "thread",
  task: "look",
  summary: "List the threads that dispatch manages",
  about: "--unmanaged lists the other threads of Codex on this machine, from every app.",
  intent: "read",
  repeat: "safe",
  rare: ["source"],
  input: v.strictObject({
    unmanaged: v.optional(flag(v.boolean(), "the threads that dispatch does not manage"), false),
    archived: v.optional(flag(v.boolean(), "the archived threads instead"), false),
    status: v.optional(flag(v.picklist(threadStatuses), "only with this status")),
    source: v.optional(flag(v.picklist(threadSources), "only created by dispatch, or only attached")),
    cwd: v.optional(path("only with exactly this directory")),
    hosts: v.optional(
      flag(v.boolean(), "also of every host of the configuration, as box/ref", { cli_only: true }),
      false,
    ),
    full: v.optional(flag(v.boolean(), "all that get shows of each thread"), false),
    limit: v.optional(
      count("at most this many; default 100, over MCP 30, with --unmanaged 50", limits.input.pageMax),
    ),
    cursor: v.optional(cursorFlag()),
  }),
  output: v.object({
    // The first match is used, so the most frequent shape is first: each mismatch takes a millisecond.
    threads: v.array(v.union([threadSummary, threadObject, stranger])),
    /** For managed threads: there are more. */
    truncated: v.optional(v.boolean()),
    next_cursor: v.optional(v.nullable(v.string())),
  }),
  asksCodex: true,
  examples: [
    { given: "two threads", input: {}, output: { threads: [{ title: "reviewer" }, { title: "docs" }] } },
    {
      given: "two threads",
      input: { limit: 1 },
      output: { threads: [{ title: "reviewer" }], truncated: true },
    },
    { given: "two threads", input: { full: true, limit: 1 }, output: { threads: [{ latest_turn: null }] } },
    { given: "two threads", input: { status: "busy" }, output: { threads: [] } },
    {
      given: "an unmanaged thread",
      input: { unmanaged: true },
      output: { threads: [{ title: "theirs" }], next_cursor: null },
    },
    { given: "two threads", input: { unmanaged: true, status: "idle" }, error: "usage" },
  ],
  lists: {
    thread: { input: { limit: limits.input.pageMax }, words: ({ threads }) => threads.flatMap(words) },
    archived: {
      input: { archived: true, limit: limits.input.pageMax },
      words: ({ threads }) => threads.flatMap(words),
    },
    stranger: {
      input: { unmanaged: true, limit: limits.wire.pageMax },
      words: ({ threads }) =>
        threads.map((thread) => ({
          word: thread.id ?? "",
          about: "preview" in thread ? nameOf(thread) : thread.title,
        })),
    },
  },
  across: {
    field: "hosts",
    join: (answers) => ({
      threads: answers.flatMap(({ host, out }) => out.threads.map((thread) => named(thread, host))),
      truncated: answers.some(({ out }) => out.truncated || (out.next_cursor ?? null) !== null),
    }),
  },
  async run({ unmanaged, archived, status, source, cwd, full, limit, cursor }, { core, caller }) {
    if (!unmanaged) {
      const only = { ...(status ? { status } : {}), ...(source ? { source } : {}), ...(cwd ? { cwd } : {}) };
      const most = limit ?? (caller.kind === "mcp" ? limits.mcp.threads : 100);
      const { rows, ...page } = pageOf<ThreadSummary | ThreadView>(
        `threads ${archived} ${status} ${source} ${cwd}`,
        { cursor: cursor ?? null, limit: most },
        (after, limit) => (full ? core.listViews : core.list)({ archived, ...only, after, limit }),
        ({ updated_at, ref }) => [Date.parse(updated_at), ref],
      );
      return { threads: rows, ...page };
    }
    if (status !== undefined || source !== undefined || cwd !== undefined || full) {
      fail("usage", "--status, --source, --cwd and --full apply to managed threads only", {
        hint: "dispatch list --unmanaged",
      });
    }
    const page = await core.unmanaged({ cursor: cursor ?? null, limit: limit ?? 50, archived });
    const threads = page.threads.map(
      ({ name, path: _path, mark: _mark, created_at, updated_at, ...row }) => ({
        ...row,
        title: name,
        created_at: iso(created_at),
        updated_at: iso(updated_at),
      }),
    );
    return { threads, next_cursor: page.next_cursor };
  },
  forAgents: "The list of agent threads, what they do and ask",
  lean: ({ threads, next_cursor }, look) => ({
    threads: threads.map((thread) => ("asks" in thread ? leanSummary(thread, look) : thread)),
    next_cursor,
  }),
  view({ threads, truncated, next_cursor }, look) {
    const others = threads.filter((thread): thread is Stranger => !("ref" in thread));
    const managed = threads.filter((thread) => "ref" in thread);
    const drawn =
      truncated === undefined || others.length > 0
        ? strangers(others, look)
        : threadTable(
            managed.map((thread) => ("asks" in thread ? thread : summaryOf(thread))),
            look,
          );
    // Of several machines there is no cursor.
    return truncated && next_cursor === undefined
      ? `${drawn}${largerLimit(limits.input.pageMax)}`
      : withMore(drawn, next_cursor);
  },
});

function named<T extends { ref: string } | { id: string | null }>(thread: T, host: string | null): T {
  if (host === null) return thread;
  const name =
    "ref" in thread ? { ref: joinHost(host, thread.ref) } : { id: joinHost(host, String(thread.id)) };
  return { ...thread, ...name };
}

/** The handle if there is one, because it is the clearest. Other names are offered after their first character. */
function words(thread: ThreadSummary | Stranger | ThreadView): Word[] {
  if (!("ref" in thread)) return [];
  const { ref, title, handle } = thread;
  const others = [{ word: title, about: ref, isOther: true as const }];
  if (handle === null) return [{ word: ref, about: title }, ...others];
  return [{ word: `@${handle}`, about: title }, { word: ref, about: title, isOther: true }, ...others];
}

const nameOf = ({ title, preview }: Stranger) => title ?? preview;

function strangers(threads: readonly Stranger[], look: Look): string {
  if (threads.length === 0) return "Codex has no other threads";
  const rows = underParents(threads).map(({ row: thread, depth }) => row(thread, "  ".repeat(depth), look));
  return table(rows, look, { header: ["id", "title", "source", "cwd", "activity"], shrink: 3 });
}

function row(thread: Stranger, indent: string, look: Look): string[] {
  return [
    `${indent}${thread.id}`,
    cell(nameOf(thread), 30),
    cell(thread.source),
    cell(thread.cwd),
    ago(thread.updated_at, look),
  ];
}
