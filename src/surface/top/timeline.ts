/** The last turns of a thread, as lines. Pure. */
import { limits } from "../../base/limits.ts";
import { block, cell, fold, paint, type Style, span } from "../../base/text.ts";
import type { ThreadView } from "../../contract/thread.ts";
import { changeLine } from "../../ops/requestpairs.ts";
import type { Item, OpenThread } from "./model.ts";
import { clock } from "./table.ts";
import { isRunning } from "./threads.ts";

/** Columns of the age and of who speaks, with the gaps after them. */
const ageColumns = 4;
const whoColumns = 6;
const indent = ageColumns + 1 + whoColumns + 1;

/** By item and width, since texts do not change: only ages do. */
const bodies = new WeakMap<Item, { width: number; lines: readonly string[] }>();

export function timelineLines(
  { items, error }: OpenThread,
  thread: ThreadView | undefined,
  columns: number,
  now: number,
): string[] {
  if (items === null) return [paint("dim", error ? "" : "reading its last turns"), ...failure(error)];
  const lines: string[] = [];
  let turn: string | undefined;
  for (const item of items) {
    if (turn !== undefined && item.turn_id !== turn) lines.push(paint("dim", "─".repeat(columns)));
    turn = item.turn_id;
    const seconds = item.at === null ? Number.NaN : (now - Date.parse(item.at)) / 1000;
    const age = Number.isNaN(seconds) ? "" : span(Math.max(0, seconds));
    const [who, style] = speakerOf(item);
    const name = who.padEnd(whoColumns).slice(0, whoColumns);
    for (const [at, line] of bodyOf(item, columns - indent).entries())
      lines.push(
        at === 0
          ? `${paint("dim", age.padStart(ageColumns))} ${style ? paint(style, name) : name} ${line}`
          : `${" ".repeat(indent)}${line}`,
      );
  }
  if (items.length === 0) lines.push(paint("dim", "no messages yet"));
  return [...lines, ...endOf(thread, columns, now), ...failure(error)];
}

const failure = (error: string | null) => (error === null ? [] : [paint("red", `not read: ${cell(error)}`)]);

/** What comes next: its question, or the turn that runs. */
function endOf(thread: ThreadView | undefined, columns: number, now: number): string[] {
  if (!thread) return [];
  const lines = thread.requests.flatMap(({ id, summary }) =>
    fold(`${paint("yellow", `asks ${id}`)} ${cell(summary)}  ${paint("bold", "a")} answers`, columns),
  );
  const turn = thread.latest_turn;
  if (isRunning(thread) && turn && lines.length === 0) {
    const seconds = Math.max(0, (now - Date.parse(turn.started_at)) / 1000);
    const state = turn.retrying_since ? `retrying: ${cell(turn.retrying_reason)}` : "working";
    lines.push(paint("cyan", `${clock(seconds).padStart(ageColumns)} ${state}`));
  }
  return lines;
}

const speakers: Readonly<Record<string, readonly [who: string, style: Style]>> = {
  user_message: ["user", "cyan"],
  agent_message: ["agent", "green"],
  error: ["error", "red"],
  command: ["ran", "bold"],
  file_change: ["files", "bold"],
  mcp_tool_call: ["tool", "bold"],
  tool_call: ["tool", "bold"],
  web_search: ["search", "bold"],
  reasoning: ["thinks", "dim"],
  plan: ["plan", "bold"],
  context_compaction: ["compact", "dim"],
};

const speakerOf = ({ type }: Item) => speakers[type] ?? ([cell(type), "dim"] as const);

function bodyOf(item: Item, width: number): readonly string[] {
  const known = bodies.get(item);
  if (known?.width === width) return known.lines;
  const lines = made(item, width);
  bodies.set(item, { width, lines });
  return lines;
}

function made(
  { type, text, command, arguments: given, exit_code, changes, path, status }: Item,
  width: number,
): string[] {
  const folded = (foreign: string) =>
    block(foreign.slice(0, limits.top.timelineCharsMax).toWellFormed().trim())
      .split("\n")
      .flatMap((line) => fold(line, width));
  if (changes || type === "file_change") {
    const ends = status && status !== "completed" ? [paint("yellow", cell(status))] : [];
    const files = changes?.map(changeLine) ?? [cell(path)];
    return [...files.flatMap((file) => fold(file, width)), ...ends];
  }
  if (command !== null) {
    const output = folded(text.slice(-limits.top.timelineCharsMax)).filter((line) => line.trim() !== "");
    const shown = output.slice(-limits.top.outputLinesMax);
    const cut = output.length > shown.length ? [paint("dim", `… ${output.length - shown.length} lines`)] : [];
    const [first = "", ...more] = fold(
      cell(given === null ? command : `${command} ${given}`),
      Math.max(8, width - 12),
    );
    return [
      `${first}  ${exitOf(exit_code, status)}`,
      ...more,
      ...cut,
      ...shown.map((line) => paint("dim", line)),
    ];
  }
  const lines = folded(text);
  return text.length > limits.top.timelineCharsMax ? [...lines, paint("dim", "…")] : lines;
}

function exitOf(exit: number | null, status: string | null): string {
  if (exit === null) return paint("dim", cell(status?.replaceAll("_", " ")));
  return exit === 0 ? paint("green", "exit 0") : paint("red", `exit ${exit}`);
}
