/** The board as lines. Pure. */
import { ago, cell, cut, paint, span, widthOf } from "../../base/text.ts";
import { bottomLines } from "./bottom.ts";
import {
  type AnswerDialog,
  type Board,
  hasBanner,
  isTooSmall,
  pageHeight,
  requestHeight,
  rowsOf,
  tableHeight,
} from "./model.ts";
import { requestLines } from "./requestpage.ts";
import { columnsFor, headLine, rowLine } from "./table.ts";
import { queueOf, statusOf } from "./threads.ts";
import { timelineLines } from "./timeline.ts";

export interface Picture {
  /** As many as the terminal has rows. Painted; foreign text went through `cell`, `block` or `exact`. */
  lines: string[];
  /** Where the text cursor is, from 0. Null: hidden. */
  cursor: { row: number; column: number } | null;
}

export function render(board: Board, now: number): Picture {
  const { columns, rows } = board.size;
  if (isTooSmall(board))
    return sized(["make the terminal larger:", "40 x 8 or more", "q quits"], board, null);
  if (board.dialog?.is === "help") return sized(helpLines(), board, null);
  if (board.dialog?.is === "answer") return requestPage(board, board.dialog, now);
  const { lines: bottom, column } = bottomLines(board, now);
  const upper = board.open ? threadPage(board, now) : tablePage(board, now);
  const lines = [...filledTo(upper, rows - bottom.length), ...bottom];
  const cursor = column === null ? null : { row: rows - 1, column: Math.min(column, columns - 1) };
  return sized(lines, board, cursor);
}

function sized(lines: readonly string[], { size }: Board, cursor: Picture["cursor"]): Picture {
  return { lines: filledTo(lines, size.rows).map((line) => cut(line, size.columns)), cursor };
}

function filledTo(lines: readonly string[], count: number): string[] {
  return Array.from({ length: count }, (_, at) => lines[at] ?? "");
}

/** Two ends of one line; the right one gives way. */
function ends(left: string, right: string, columns: number): string {
  const room = columns - widthOf(left) - 2;
  const shown = room < 4 ? "" : cut(right, room);
  return `${cut(left, columns)}${" ".repeat(Math.max(0, columns - widthOf(left) - widthOf(shown)))}${shown}`;
}

function tablePage(board: Board, now: number): string[] {
  const { columns } = board.size;
  const chosen = columnsFor(columns);
  const rows = rowsOf(board);
  const height = tableHeight(board);
  const at = Math.max(
    0,
    rows.findIndex(({ thread }) => thread.ref === board.cursor),
  );
  const shown = rows
    .slice(board.scroll, board.scroll + height)
    .map((row, index) => rowLine(chosen, row, columns, now, board.scroll + index === at));
  return [
    headerLine(board, rows.length),
    ...bannerLines(board, now),
    headLine(chosen),
    ...(rows.length === 0 ? [emptyLine(board)] : shown),
  ];
}

function emptyLine({ filter, threads }: Board): string {
  if (filter.text !== "" && threads.size > 0)
    return `  no thread matches "${cell(filter.text)}"; esc shows all`;
  return "  no threads; to create one: dispatch new --name NAME --text TEXT";
}

const countOrder = ["waiting", "blocked", "error", "busy", "unknown", "gone", "starting", "started", "idle"];

/** How many threads have each status, what needs a person first; the daemon and Codex. */
function headerLine(board: Board, shown: number): string {
  const counts = new Map<string, { n: number; style: ReturnType<typeof statusOf>["style"] }>();
  for (const thread of board.threads.values()) {
    const { word, style } = statusOf(thread);
    if (word === "archived") continue;
    counts.set(word, { n: (counts.get(word)?.n ?? 0) + 1, style });
  }
  const words = [...counts].sort(([a], [b]) => countOrder.indexOf(a) - countOrder.indexOf(b));
  const parts = words.map(([word, { n, style }]) => {
    const text = `${n}${board.isTruncated ? "+" : ""} ${word}`;
    return style && style !== "green" ? paint(style, paint("bold", text)) : text;
  });
  const total = [...counts.values()].reduce((sum, { n }) => sum + n, 0);
  const { filter } = board;
  const part =
    filter.text === "" ? "" : `  ${paint("bold", `/${cell(filter.text, 20)}`)} ${shown} of ${total}`;
  return ends(
    `${paint("bold", "dispatch")}  ${parts.join("  ") || "no threads"}${part}`,
    healthOf(board),
    board.size.columns,
  );
}

function healthOf({ link, daemon }: Board): string {
  if (!link.isUp) return paint("red", paint("bold", "daemon down"));
  if (!daemon) return "";
  const { state, version } = daemon.codex;
  const codex = `codex ${cell(version)}`;
  return state === "running" ? paint("dim", codex) : paint("red", paint("bold", `codex ${cell(state)}`));
}

/** The worst of what is wrong with the daemon, in one line. */
function bannerLines(board: Board, now: number): string[] {
  if (!hasBanner(board)) return [];
  const { link, daemon, size } = board;
  if (!link.isUp) {
    const since = span(Math.max(0, (now - link.since) / 1000));
    const hint = link.hint ? `  ${paint("bold", cell(link.hint))}` : "";
    const room = Math.max(12, size.columns - widthOf(hint));
    return [`${paint("red", cell(`down for ${since}: ${link.why}`, room))}${hint}`];
  }
  const [degraded] = daemon!.degraded;
  if (degraded !== undefined) return [paint("red", cell(degraded, size.columns))];
  const [limit] = daemon!.limits;
  if (!limit) return [];
  const look = { width: size.columns, now, color: true };
  return [
    paint(
      "yellow",
      cell(`limited, ends ${ago(limit.until, look)}: ${limit.provider}: ${limit.reason}`, size.columns),
    ),
  ];
}

function threadPage(board: Board, now: number): string[] {
  const open = board.open!;
  const thread = board.threads.get(open.ref);
  const lines = timelineLines(open, thread, board.size.columns, now);
  const height = pageHeight(board);
  const end = lines.length - open.back;
  const older = open.back > 0 ? paint("yellow", `${open.back} lines below`) : "";
  if (!thread) return ["", ...lines.slice(Math.max(0, end - height), end)];
  const { word, style } = statusOf(thread);
  const queue = queueOf(thread);
  const title = [
    paint("bold", cell(thread.title, Math.max(16, board.size.columns - 40))),
    paint("dim", thread.ref),
    style ? paint(style, word) : word,
    ...(queue === "" ? [] : [`queue ${queue}`]),
  ].join("  ");
  return [ends(title, older, board.size.columns), ...lines.slice(Math.max(0, end - height), end)];
}

function requestPage(board: Board, dialog: AnswerDialog, now: number): Picture {
  const { columns, rows } = board.size;
  const { request, scroll } = dialog;
  const thread = board.threads.get(dialog.ref);
  const lines = request ? requestLines(request, columns, now) : [paint("dim", "  reading the request")];
  const height = requestHeight(board);
  const below = Math.max(0, lines.length - scroll - height);
  const title = `${paint("bold", cell(thread?.title ?? dialog.ref, Math.floor(columns / 2)))} ${paint("yellow", `asks ${dialog.id}`)}`;
  const { lines: bottom, column } = bottomLines(board, now);
  const more = below > 0 ? paint("yellow", `${below} more lines`) : "";
  const body = filledTo(lines.slice(scroll, scroll + height), height);
  const cursor = column === null ? null : { row: rows - 1, column: Math.min(column, columns - 1) };
  return sized([ends(title, more, columns), ...body, ...bottom.slice(-2)], board, cursor);
}

function helpLines(): string[] {
  const keys: [string, string][] = [
    ["up down, j k", "one row; PgUp, PgDn, Home, End: further"],
    ["enter", "open the thread: its last turns, live"],
    ["esc", "back; on the board: let the order move again"],
    ["a", "show what the thread asks, and answer it"],
    ["s", "send a text; a busy thread: to its queue, or into its turn"],
    ["x", "stop the turn, after a question"],
    ["/", "filter by a part of title, ref, folder or status"],
    ["q, Ctrl-C", "quit      Ctrl-Z  suspend"],
  ];
  return [
    paint("bold", "Keys"),
    ...keys.map(([key, what]) => `  ${paint("bold", key.padEnd(12))}  ${what}`),
    paint("bold", "Time"),
    "  of a running turn in minutes and seconds; else since it asked,",
    "  or since something happened",
    paint("bold", "Order"),
    "  asks, blocked, failed, held; then busy; then the newest first",
    "",
    paint("dim", "any key goes back"),
  ];
}
