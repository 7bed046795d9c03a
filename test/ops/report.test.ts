/** The report's page: the same facts as its JSON, text of agents that never runs, and a size that stays small. */
import { expect, test } from "bun:test";
import type { Report, ReportedThread } from "../../src/contract/report.ts";
import { reportPage } from "../../src/ops/reportpage.ts";

const at = (minutes: number) => new Date(Date.UTC(2026, 10, 28, 9, minutes)).toISOString();
const totals = {
  turns: 0,
  failed: 0,
  interrupted: 0,
  running: 0,
  busy_seconds: 0,
  requests: 0,
  answer_wait_seconds: 0,
  queued: 0,
  queue_wait_seconds: 0,
};
const tokens = (total: number) => ({
  total,
  input: total,
  cached: 0,
  output: 0,
  reasoning: 0,
  incomplete: false,
});
const thread = (given: Partial<ReportedThread>): ReportedThread => ({
  ref: "k3x9tz",
  title: "docs",
  cwd: "/app",
  status: "idle",
  parent_id: null,
  ...totals,
  tokens: 0,
  turns_list: [],
  requests_list: [],
  queued_list: [],
  ...given,
});
const report = (threads: ReportedThread[], more: Partial<Report> = {}): Report => ({
  since: at(0),
  until: at(60),
  ...totals,
  tokens: tokens(0),
  tokens_by_day: [],
  windows: [],
  threads,
  truncated: false,
  ...more,
});
const turn = (
  from: number,
  to: number | null,
  status: "completed" | "failed" | "in_progress" = "completed",
  error: string | null = null,
) => ({
  id: `t${from}`,
  status,
  origin: "ours" as const,
  error,
  started_at: at(from),
  completed_at: to === null ? null : at(to),
});

test("a turn is a bar at its place in the period", () => {
  const page = reportPage(report([thread({ turns: 1, turns_list: [turn(15, 30)] })]), "UTC");
  expect(page).toContain('<rect class="ok" x="250" y="8" width="250"');
  expect(page).toContain("28 Nov, 09:15: turn completed, 15m");
});

test("a running turn reaches the end, and one whose end nobody saw has no bar", () => {
  const lost = { ...turn(10, null), status: "interrupted" as const };
  const page = reportPage(report([thread({ turns_list: [turn(45, null, "in_progress"), lost] })]), "UTC");
  expect(page).toContain('<rect class="run" x="750" y="8" width="250"');
  expect(page.match(/<rect/g)).toHaveLength(1);
});

test("times are those of the reader's zone", () => {
  const page = reportPage(report([thread({ turns_list: [turn(15, 30)] })]), "Asia/Tokyo");
  expect(page).toContain("28 Nov, 18:00 to 28 Nov, 19:00");
});

test("text of agents is escaped and cleaned wherever it is shown", () => {
  const hostile = `<script>alert(1)</script>"'&\u001b[31m\u202e`;
  const page = reportPage(
    report([
      thread({
        title: hostile,
        turns_list: [turn(1, 2, "failed", hostile)],
        requests_list: [
          {
            id: "r",
            kind: "command_approval",
            summary: hostile,
            state: "open",
            decision: null,
            answered_by: hostile,
            asked_at: at(3),
            closed_at: null,
          },
        ],
      }),
    ]),
    "UTC",
  );
  expect(page).not.toContain("<script");
  expect(page).not.toMatch(/[\u001b\u202e]/);
  expect(page.split("&#60;script&#62;").length).toBeGreaterThan(4);
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(/(src|href)=/);
});

test("an empty period says so", () => {
  expect(reportPage(report([]), "UTC")).toContain("Nothing happened in this time.");
});

test("10,000 turns of 100 threads are a page under 3 MB", () => {
  const turns_list = Array.from({ length: 100 }, (_, n) =>
    turn(n * 0.6, n * 0.6 + 0.5, n % 9 ? "completed" : "failed", "x".repeat(200)),
  );
  const threads = Array.from({ length: 100 }, (_, n) =>
    thread({ title: `worker ${n}`, turns: 100, turns_list }),
  );
  expect(reportPage(report(threads), "UTC").length).toBeLessThan(3_000_000);
});

test("tokens a day are bars beside their numbers, the account's windows too", () => {
  const page = reportPage(
    report([thread({ turns: 1, tokens: 1500, turns_list: [turn(15, 30)] })], {
      tokens: tokens(2000),
      tokens_by_day: [
        { day: "2026-11-28", ...tokens(1500) },
        { day: "2026-11-27", ...tokens(500), incomplete: true },
      ],
      windows: [
        {
          provider: "<b>mock</b>",
          limit: "codex",
          window: "primary",
          used_percent: 43.4,
          window_minutes: 300,
          resets_at: at(90),
          as_of: at(50),
          age_seconds: 600,
        },
      ],
    }),
    "UTC",
  );
  expect(page).toContain("1.5K tokens");
  expect(page).toContain('<i style="width:100%"></i></span></td><td>1,500</td>');
  expect(page).toContain('<i style="width:33.3%"></i></span></td><td>500 or more</td>');
  expect(page).toContain("&#60;b&#62;mock&#60;/b&#62; codex");
  expect(page).toContain(
    '<i style="width:43.4%"></i></span></td><td>43 %</td><td>5h</td><td>28 Nov, 10:30</td>',
  );
});

test("a window that was reset since says so, and nothing counted makes no tables", () => {
  const over = {
    ...{
      provider: "mock",
      limit: null,
      window: "secondary" as const,
      used_percent: 99,
      window_minutes: null,
    },
    ...{ resets_at: at(30), as_of: at(20), age_seconds: 2400 },
  };
  const page = reportPage(report([thread({})], { windows: [over] }), "UTC");
  expect(page).toContain("<td>mock</td>");
  expect(page).toContain("reset 28 Nov, 09:30");
  expect(page).not.toContain("Tokens a day");
  expect(reportPage(report([]), "UTC")).not.toContain("windows</h2>");
});
