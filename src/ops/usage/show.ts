import * as v from "valibot";
import { table } from "../../base/table.ts";
import { ago, cell, grouped, type Look, paint } from "../../base/text.ts";
import { type UsageView, usageObject } from "../../contract/usage.ts";
import { flag, moment, threadFlag } from "../fields.ts";
import { op } from "../op.ts";

export default op({
  name: "usage.show",
  cli: "usage",
  group: "thread",
  task: "look",
  summary: "Show the tokens used, and the account's windows",
  about:
    "Sub-agents are charged to the thread that they work for. What a thread used before dispatch managed it is not " +
    "counted. What dispatch missed is found again when Codex opens the thread, and counts on that day; where Codex's " +
    "totals cannot tell it, the row says incomplete. Days are those of the daemon's time zone.",
  intent: "read",
  repeat: "safe",
  rare: ["since", "by"],
  input: v.strictObject({
    thread: v.optional(threadFlag("only of this thread")),
    since: v.optional(moment("from the day of this time on; default: all that is kept", "first")),
    by: v.optional(flag(v.picklist(["thread", "day", "model"]), "one row for each of these"), "thread"),
  }),
  output: usageObject,
  examples: [
    { given: "nothing", input: {}, output: { by: "thread", since: null, used: [], windows: [], limits: [] } },
    {
      given: "used tokens",
      input: {},
      output: {
        used: [{ title: "docs", total: 1020, input: 1000, cached: 100, output: 20, reasoning: 5 }],
        total: { total: 1020 },
        windows: [{ provider: "mock", limit: "codex", used_percent: 43, window_minutes: 300 }],
      },
    },
    { given: "used tokens", input: { by: "model", thread: "@docs" }, output: { used: [{ thread: null }] } },
    { given: "used tokens", input: { since: "2999-01-01T00:00:00Z" }, output: { used: [], since: null } },
    { given: "used tokens", input: { thread: "nobody" }, error: "not_found" },
  ],
  run: ({ thread, since, by }, { core, caller }) =>
    core.usage({
      ref: thread === undefined ? null : core.resolve(thread, caller.thread_id, "reading"),
      since: since === undefined ? null : Date.parse(since),
      by,
    }),
  lean: ({ used, total, windows, limits, truncated }) => ({
    used: used.map(({ thread, title, day, model, total, incomplete }) => ({
      ...{ thread, title, day, model, total },
      incomplete: incomplete || null,
    })),
    total,
    windows,
    limits,
    more: truncated ? "give since or thread" : null,
  }),
  view: (usage, look) =>
    [tokensTable(usage, look), windowsTable(usage, look), limitsTable(usage, look)]
      .filter((part) => part !== "")
      .join("\n\n"),
});

type Row = Omit<UsageView["total"], "incomplete"> & { incomplete: boolean };

function tokensTable({ by, used, total, truncated, since }: UsageView, look: Look): string {
  if (used.length === 0) return "no tokens were counted";
  const cells = (name: string[], row: Row) => [
    ...name,
    grouped(row.input),
    grouped(row.cached),
    grouped(row.output),
    grouped(row.reasoning),
    `${grouped(row.total)}${row.incomplete ? " or more" : ""}`,
  ];
  const rows = used.map((row) =>
    cells(by === "thread" ? [row.thread ?? "", cell(row.title, 30)] : [cell(row.day ?? row.model)], row),
  );
  const end = cells(by === "thread" ? ["all", ""] : ["all"], total);
  const header = [
    ...(by === "thread" ? ["thread", "title"] : [by]),
    ...["in", "cached", "out", "reasoning", "total"],
  ];
  const drawn = table(truncated || used.length > 1 ? [...rows, end] : rows, look, { header, shrink: 1 });
  return `${drawn}\n${paint("dim", `since ${since}${truncated ? "; there are more rows" : ""}`)}`;
}

function windowsTable({ windows }: UsageView, look: Look): string {
  if (windows.length === 0) return "";
  const rows = windows.map((window) => [
    `${cell(window.provider)} ${cell(window.limit)}`,
    window.window_minutes === null ? window.window : `${window.window_minutes / 60} h`,
    `${Math.round(window.used_percent)} %`,
    window.resets_at === null ? "-" : cell(window.resets_at),
    ago(window.as_of, look),
  ]);
  return table(rows, look, { header: ["account", "window", "used", "resets", "seen"], shrink: 0 });
}

function limitsTable({ limits }: UsageView, look: Look): string {
  if (limits.length === 0) return "";
  const color = { ok: "dim", near: "yellow", full: "red" } as const;
  const rows = limits.map(({ limit, max, used, state }) => [
    limit,
    grouped(max),
    grouped(used),
    paint(color[state], state),
  ]);
  return table(rows, look, { header: ["limit", "max", "used", ""], shrink: 0 });
}
