/**
 * The report as one HTML page: no script, no request to anywhere, light and dark. Texts of agents are cleaned and
 * escaped, and the page's own policy forbids scripts.
 */
import { limits } from "../base/limits.ts";
import { grouped, span } from "../base/text.ts";
import { version } from "../base/version.ts";
import type { Report, ReportedThread } from "../contract/report.ts";
import { axis, chart, legend, type Scale, scaleOf } from "./reportchart.ts";
import { escapeHtml } from "./reportescape.ts";
import { reportStyle } from "./reportstyle.ts";
import { compact, usage } from "./reportusage.ts";

/** `zone`: the IANA time zone of the reader. */
export function reportPage(report: Report, zone: string): string {
  const scale = scaleOf(report, zone);
  const when = `${scale.full(report.since)} to ${scale.full(report.until)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>dispatch report, ${escapeHtml(when)}</title>
<style>${reportStyle}</style>
</head>
<body>
<header>
<h1>What the threads did</h1>
<p>${escapeHtml(when)} <span class="zone">${escapeHtml(zone)}</span></p>
</header>
<main>
${numbers(report)}
${report.truncated ? '<p class="note">Only the newest is shown: a limit left out the rest.</p>' : ""}
${
  report.threads.length === 0
    ? '<p class="empty">Nothing happened in this time.</p>'
    : `${legend}\n<div class="threads">\n${axis(scale)}\n${report.threads.map((one) => thread(one, scale)).join("\n")}\n</div>`
}
${usage(report, scale)}
</main>
<footer>Made by dispatch ${escapeHtml(version)}, ${escapeHtml(scale.full(report.until))}.</footer>
</body>
</html>
`;
}

function numbers(report: Report): string {
  const {
    turns,
    running,
    failed,
    interrupted,
    busy_seconds,
    requests,
    answer_wait_seconds,
    queued,
    queue_wait_seconds,
    tokens,
  } = report;
  const card = (label: string, value: string, more: string, kind = "") =>
    `<div class="card ${kind}"><dt>${label}</dt><dd>${value}<small>${more}</small></dd></div>`;
  return `<dl class="cards">
${card("Turns", grouped(turns), running > 0 ? `${running} running` : "none running")}
${card("At work", span(busy_seconds), `in ${report.threads.length} threads`)}
${card("Failed", String(failed), `${interrupted} interrupted`, failed > 0 ? "bad" : "")}
${card("Questions", String(requests), `${span(answer_wait_seconds)} waited for answers`, answer_wait_seconds > 0 ? "asks" : "")}
${card("Queued texts", String(queued), `${span(queue_wait_seconds)} waited for their turn`)}
${card("Tokens", compact(tokens.total), `${compact(tokens.output)} of them written`)}
</dl>`;
}

function thread(one: ReportedThread, scale: Scale): string {
  const parts = [
    `${one.turns} turns`,
    `${span(one.busy_seconds)} at work`,
    ...(one.failed > 0 ? [`${one.failed} failed`] : []),
    ...(one.interrupted > 0 ? [`${one.interrupted} interrupted`] : []),
    ...(one.requests > 0 ? [`${one.requests} questions, ${span(one.answer_wait_seconds)} waited`] : []),
    ...(one.tokens > 0 ? [`${compact(one.tokens)} tokens`] : []),
    ...(one.queued > 0 ? [`${one.queued} queued, ${span(one.queue_wait_seconds)} waited`] : []),
  ];
  const words = parts.join(" · ");
  return `<article class="thread" aria-label="${escapeHtml(one.title)}">
<h2>${escapeHtml(one.title)} <code>${escapeHtml(one.ref)}</code> <span class="state ${escapeHtml(one.status)}">${escapeHtml(one.status)}</span></h2>
<p>${escapeHtml(words)}</p>
${chart(one, scale, `${escapeHtml(one.title)}: ${escapeHtml(words)}`)}
${details(one, scale)}
</article>`;
}

/** What the picture shows, as a table that a keyboard and a screen reader can use: the newest. */
function details({ turns_list, requests_list }: ReportedThread, scale: Scale): string {
  const turns = turns_list.map((turn) => ({
    at: turn.started_at,
    end: turn.completed_at,
    what: "turn",
    how: turn.status === "in_progress" ? "running" : turn.status,
    text: turn.error ?? "",
  }));
  const requests = requests_list.map((request) => ({
    at: request.asked_at,
    end: request.closed_at,
    what: request.kind.replaceAll("_", " "),
    how: request.decision ?? request.state,
    text: request.summary,
  }));
  const rows = [...turns, ...requests].sort((a, b) => (a.at < b.at ? 1 : -1));
  const shown = rows.slice(0, limits.report.detailsMax).map(({ at, end, what, how, text }) => {
    const took = end === null ? "" : span(Math.round((Date.parse(end) - Date.parse(at)) / 1000));
    const cells = [scale.full(at), what, how, took, text === "" ? "" : text];
    return `<tr>${cells.map((one) => `<td>${one === "" ? "" : escapeHtml(one)}</td>`).join("")}</tr>`;
  });
  const more = rows.length > shown.length ? `, the newest ${shown.length}` : "";
  return `<details><summary>${rows.length} turns and questions${more}</summary>
<div class="wide"><table><thead><tr><th>when</th><th>what</th><th>how</th><th>took</th><th>text</th></tr></thead><tbody>
${shown.join("\n")}
</tbody></table></div></details>`;
}
