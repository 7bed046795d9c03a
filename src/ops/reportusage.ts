/** Tokens of each day and the windows of the account, as tables with bars. */
import { grouped, span } from "../base/text.ts";
import type { Report } from "../contract/report.ts";
import type { Scale } from "./reportchart.ts";
import { escapeHtml } from "./reportescape.ts";

const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** `1.7M`: where there is little room. */
export const compact = (value: number): string => short.format(value);

export function usage(report: Report, scale: Scale): string {
  return `${tokensByDay(report)}${windows(report, scale)}`;
}

function tokensByDay({ tokens_by_day }: Report): string {
  if (tokens_by_day.length === 0) return "";
  const most = Math.max(...tokens_by_day.map(({ total }) => total));
  const rows = tokens_by_day.map(({ day, total, input, cached, output, incomplete }) =>
    row([
      escapeHtml(day),
      bar(total, most),
      `${grouped(total)}${incomplete ? " or more" : ""}`,
      grouped(input),
      grouped(cached),
      grouped(output),
    ]),
  );
  return section("Tokens a day", ["day", "", "all", "read", "of these cached", "written"], rows);
}

function windows({ windows, until }: Report, scale: Scale): string {
  if (windows.length === 0) return "";
  const rows = windows.map(({ provider, limit, window, window_minutes, used_percent, resets_at, as_of }) => {
    const length = window_minutes === null ? window : span(window_minutes * 60);
    const isOver = resets_at !== null && resets_at < until;
    return row([
      escapeHtml(limit === null ? provider : `${provider} ${limit}`),
      bar(used_percent, 100),
      `${Math.round(used_percent)} %`,
      escapeHtml(length),
      resets_at === null ? "" : `${isOver ? "reset " : ""}${escapeHtml(scale.full(resets_at))}`,
      escapeHtml(scale.full(as_of)),
    ]);
  });
  return section("The account's windows", ["account", "", "used", "window", "resets", "seen"], rows);
}

function section(title: string, head: readonly string[], rows: readonly string[]): string {
  return `<section class="usage"><h2>${title}</h2>
<div class="wide"><table><thead><tr>${head.map((name) => `<th>${name}</th>`).join("")}</tr></thead><tbody>
${rows.join("\n")}
</tbody></table></div></section>
`;
}

function row(cells: readonly string[]): string {
  return `<tr>${cells.map((one) => `<td>${one}</td>`).join("")}</tr>`;
}

/** The number stands beside it, so a screen reader leaves it out. */
function bar(value: number, most: number): string {
  const width = most > 0 ? Math.round((Math.min(value, most) / most) * 1000) / 10 : 0;
  return `<span class="bar" aria-hidden="true"><i style="width:${width}%"></i></span>`;
}
