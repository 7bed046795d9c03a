/** The rows of the board: columns that fit, the selected one marked. Pure. */
import { splitHost } from "../../base/hostref.ts";
import { cell, cut, paint, span, unpainted, widthOf } from "../../base/text.ts";
import type { ThreadView } from "../../contract/thread.ts";
import { lineOf, queueOf, sinceOf, statusOf, type TreeRow, turnStart } from "./threads.ts";

interface Column {
  head: string;
  width: number;
  isRight?: boolean;
  show(row: TreeRow, now: number): string;
}

const gap = 2;

/** Columns by the width of the terminal. What is left goes to the last one. */
export function columnsFor(columns: number): Column[] {
  const titleWidth = Math.max(16, Math.min(36, Math.floor(columns * 0.26)));
  const chosen: Column[] = [
    { head: "status", width: 8, show: ({ thread }) => statusCell(thread) },
    { head: "time", width: 5, isRight: true, show: ({ thread }, now) => timeCell(thread, now) },
  ];
  const isWide = columns >= 100;
  if (isWide)
    chosen.push({
      head: "ref",
      width: 6,
      show: ({ thread }) => paint("dim", splitHost(thread.ref)?.ref ?? thread.ref),
    });
  chosen.push({ head: "thread", width: titleWidth, show: (row) => titleCell(row, titleWidth) });
  if (columns >= 140)
    chosen.push({ head: "folder", width: 28, show: ({ thread }) => paint("dim", folderCell(thread, 28)) });
  if (columns >= 50) chosen.push({ head: "queue", width: 7, show: ({ thread }) => queueCell(thread) });
  if (columns >= 64)
    chosen.push({ head: "tokens", width: 6, isRight: true, show: ({ thread }) => tokensCell(thread) });
  const used = chosen.reduce((sum, { width }) => sum + width + gap, gap);
  const rest = columns - used;
  if (rest >= 12) chosen.push({ head: "last", width: rest, show: ({ thread }) => lineOf(thread) });
  else {
    const title = chosen.find(({ head }) => head === "thread")!;
    const width = title.width + rest + gap;
    title.width = width;
    title.show = (row) => titleCell(row, width);
  }
  return chosen;
}

export function headLine(chosen: readonly Column[]): string {
  return paint(
    "dim",
    `  ${chosen.map(({ head, width, isRight }) => placed(head, width, isRight)).join(" ".repeat(gap))}`.trimEnd(),
  );
}

export function rowLine(
  chosen: readonly Column[],
  row: TreeRow,
  columns: number,
  now: number,
  isSelected: boolean,
): string {
  const cells = chosen.map(({ width, isRight, show }) => placed(show(row, now), width, isRight));
  const line = `${isSelected ? ">" : " "} ${cells.join(" ".repeat(gap))}`;
  return isSelected ? paint("inverse", placed(unpainted(line).trimEnd(), columns)) : line.trimEnd();
}

function placed(s: string, width: number, isRight = false): string {
  const fitting = cut(s, width);
  const blanks = " ".repeat(Math.max(0, width - widthOf(fitting)));
  return isRight ? blanks + fitting : fitting + blanks;
}

function statusCell(thread: ThreadView): string {
  const { word, style } = statusOf(thread);
  if (!style) return word;
  return style === "green" ? paint("dim", word) : paint(style, paint("bold", word));
}

/** Of a turn that runs, to the second; else how long ago something happened. */
function timeCell(thread: ThreadView, now: number): string {
  const started = thread.requests.length === 0 ? turnStart(thread) : undefined;
  if (started !== undefined) return paint("cyan", clock(Math.max(0, (now - started) / 1000)));
  const seconds = Math.max(0, (now - sinceOf(thread)) / 1000);
  const age = span(seconds);
  return thread.requests.length > 0 ? paint("yellow", age) : paint("dim", age);
}

/** `4:05`, `1h12m`, `2d`. */
export function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (n: number) => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}:${two(whole % 60)}`;
  return whole < 36_000
    ? `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}m`
    : span(whole);
}

/** A deep tree is not indented beyond the middle of its column. */
function titleCell({ thread, depth }: TreeRow, width: number): string {
  const lead = depth === 0 ? "" : `${" ".repeat(Math.min((depth - 1) * 2, Math.floor(width / 2) - 2))}└ `;
  const host = splitHost(thread.ref)?.host;
  const place = host === undefined ? "" : `${host}/`;
  return `${paint("dim", lead + place)}${cell(thread.title, Math.max(1, width - widthOf(lead + place)))}`;
}

/** The end of a path says more than its beginning. */
function folderCell({ cwd }: ThreadView, width: number): string {
  const path = cell(cwd);
  if (widthOf(path) <= width) return path;
  const parts = path.split("/");
  while (parts.length > 1 && widthOf(`…/${parts.join("/")}`) > width) parts.shift();
  return cut(`…/${parts.join("/")}`, width);
}

function queueCell(thread: ThreadView): string {
  const words = queueOf(thread);
  return /[a-z]/.test(words) ? paint("yellow", words) : words;
}

function tokensCell({ tokens }: ThreadView): string {
  return tokens ? paint("dim", amount(tokens.total)) : "";
}

/** `834`, `12k`, `1.2M`. */
function amount(n: number): string {
  if (n < 1000) return String(n);
  if (n < 999_500) return `${n < 9950 ? (n / 1000).toFixed(1) : Math.round(n / 1000)}k`;
  return n < 9_950_000 ? `${(n / 1e6).toFixed(1)}M` : `${Math.round(n / 1e6)}M`;
}
