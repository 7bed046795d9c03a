import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { table } from "../../base/table.ts";
import { cell, grouped, type Look, paint, span } from "../../base/text.ts";
import { type Report, reportShape } from "../../contract/report.ts";
import { flag, moment, path } from "../fields.ts";
import { clientOp } from "../op.ts";
import { reportPage } from "../reportpage.ts";

export default clientOp({
  name: "report.show",
  cli: "report",
  group: "thread",
  task: "look",
  summary: "Show what the threads did: turns, waits for answers, failures, tokens",
  about:
    "Times are those inside the period; tokens are counted by whole days. --html writes one page that needs no network and runs no script: a time line for each thread, for any browser. --open shows it.",
  at: "client",
  isOfAnswers: true,
  intent: "read",
  repeat: "safe",
  isForPersons: true,
  input: v.strictObject({
    since: v.optional(moment(`from this time on (${limits.report.periodMs / 3_600_000}h)`, "first")),
    html: v.optional(path("write the page to this file", { value: "FILE" })),
    open: v.optional(
      flag(v.boolean(), "show the page in the browser; without --html it is a file in the home"),
      false,
    ),
  }),
  output: v.object({ ...reportShape, html: v.nullable(v.string()) }),
  fails: ["daemon_down", "storage", "not_found"],
  examples: [],
  async run({ since, html, open }, ctx) {
    const report = (await ctx.call("report.rows", since === undefined ? {} : { since })) as unknown as Report;
    const file = html ?? (open ? `${ctx.paths.home}/report.html` : null);
    if (file !== null)
      await ctx.write(file, reportPage(report, Intl.DateTimeFormat().resolvedOptions().timeZone));
    if (file !== null && open) await ctx.show(file);
    return { ...report, html: file };
  },
  view({ html, ...report }, look) {
    const lines = [summary(report), threads(report, look)];
    if (report.truncated) lines.push(paint("yellow", "only the newest: give a later --since"));
    if (html !== null) lines.push(`wrote ${cell(html)}`);
    return lines.join("\n");
  },
});

function summary(report: Report): string {
  const { turns, failed, interrupted, busy_seconds, requests, answer_wait_seconds, tokens } = report;
  return [
    `${turns} turns, ${span(busy_seconds)} at work`,
    failed > 0 ? paint("red", `${failed} failed`) : "none failed",
    ...(interrupted > 0 ? [`${interrupted} interrupted`] : []),
    `${requests} questions, ${span(answer_wait_seconds)} waited for answers`,
    ...(tokens.total > 0 ? [`${grouped(tokens.total)} tokens`] : []),
  ].join("; ");
}

function threads({ threads }: Report, look: Look): string {
  if (threads.length === 0) return "nothing happened in this time";
  const rows = threads.map((one) => [
    paint("cyan", one.ref),
    cell(one.title),
    String(one.turns),
    span(one.busy_seconds),
    one.failed > 0 ? paint("red", String(one.failed)) : "-",
    one.requests > 0 ? `${one.requests}, ${span(one.answer_wait_seconds)}` : "-",
    one.queued > 0 ? `${one.queued}, ${span(one.queue_wait_seconds)}` : "-",
    one.tokens > 0 ? grouped(one.tokens) : "-",
  ]);
  const header = ["ref", "title", "turns", "at work", "failed", "questions", "queued", "tokens"];
  return table(rows, look, { header, shrink: 1 });
}
