/** The lines under the table: the selected thread, a dialog, a note, the keys. Pure. */
import { block, cell, cut, paint, unpainted, widthOf } from "../../base/text.ts";
import type { ThreadView } from "../../contract/thread.ts";
import { type Editor, windowOf } from "./editor.ts";
import { type AnswerDialog, type Board, bottomHeight, type Dialog, type Note, selected } from "./model.ts";
import { choicesOf, isApproval, isSecret } from "./requestpage.ts";
import { lineOf } from "./threads.ts";

interface Bottom {
  /** As many as `bottomHeight`. */
  lines: string[];
  /** Of the text cursor, in the last line. Null: nothing is typed. */
  column: number | null;
}

export function bottomLines(board: Board, now: number): Bottom {
  const height = bottomHeight(board);
  const { lines, column } = wanted(board, height, now);
  const blank = Array.from({ length: Math.max(0, height - lines.length) }, () => "");
  return { lines: [...blank, ...lines.slice(-height)], column };
}

function wanted(board: Board, height: number, _now: number): Bottom {
  const { dialog, note, size } = board;
  const notes = note ? [noteLine(note, size.columns)] : [];
  switch (dialog?.is) {
    case "filter":
      return typing("/", board.filter, size.columns, notes);
    case "stop": {
      const title = titleOf(board, dialog.ref, size.columns - 30);
      return {
        lines: [
          ...notes,
          dialog.isSending
            ? `stopping ${title}`
            : `stop the turn of ${title}?  ${keys(
                [
                  ["y", "stop it"],
                  ["n", "no"],
                ],
                size.columns,
              )}`,
        ],
        column: null,
      };
    }
    case "send":
      return sending(board, dialog, notes);
    case "answer":
      return answering(board, dialog, notes);
    default:
      return resting(board, height, notes);
  }
}

function resting(board: Board, height: number, notes: readonly string[]): Bottom {
  const { columns } = board.size;
  const thread = selected(board);
  const about = board.open || !thread ? [] : aboutLines(thread, columns);
  const isAsking = (thread?.requests.length ?? 0) > 0;
  const footer = keys(board.open ? pageKeys : tableKeys, columns, isAsking ? "a" : undefined);
  // A note takes the place of the line above the keys; where there is none, of the keys.
  if (height === 1) return { lines: notes.length > 0 ? [...notes] : [footer], column: null };
  const room = height - 1 - notes.length;
  return { lines: [...about.slice(0, room), ...notes, footer], column: null };
}

/** Where it is, and in full width what the last column of the table has no room for. */
function aboutLines(thread: ThreadView, columns: number): string[] {
  const { ref, handle, cwd, model, queue, blocked, title } = thread;
  const chosen = [model.model, model.effort].flatMap((word) => (word === null ? [] : [cell(word)])).join(" ");
  const names = handle === null ? cell(title, 30) : `@${cell(handle)}`;
  const where = paint("dim", `${ref}  ${names}  ${cell(cwd)}${chosen === "" ? "" : `  ${chosen}`}`);
  const next = blocked?.hint ?? queue.release;
  const hint = next ? `  ${paint("bold", cell(next))}` : "";
  const line = lineOf(thread);
  return [cut(where, columns), `${cut(line, Math.max(20, columns - widthOf(hint)))}${hint}`];
}

const tableKeys: [string, string][] = [
  ["enter", "open"],
  ["a", "answer"],
  ["s", "send"],
  ["x", "stop"],
  ["/", "filter"],
  ["?", "help"],
  ["q", "quit"],
];

const pageKeys: [string, string][] = [
  ["esc", "back"],
  ["a", "answer"],
  ["s", "send"],
  ["x", "stop"],
  ["up down", "scroll"],
  ["?", "help"],
  ["q", "quit"],
];

/** Those that fit; the first are the ones that are needed most. `wanted` is the one that waits to be typed. */
function keys(pairs: readonly (readonly [string, string])[], columns: number, wanted?: string): string {
  let line = "";
  for (const [key, label] of pairs) {
    const next = `${line === "" ? "" : `${line}  `}${paint("bold", key)} ${paint(key === wanted ? "yellow" : "dim", label)}`;
    if (widthOf(next) > columns) break;
    line = next;
  }
  return line;
}

/** One line: of a long error the message is cut, so that the hint is whole. */
function noteLine({ text, hint, isError }: Note, columns: number): string {
  const after = hint === null ? "" : `  ${cell(hint)}`;
  const before = isError ? "error: " : "";
  const room = Math.max(Math.min(24, columns), columns - widthOf(after) - before.length);
  const message = `${before ? paint("red", before) : ""}${cell(text, room)}`;
  return cut(`${isError ? message : paint("green", message)}${after ? paint("bold", after) : ""}`, columns);
}

function titleOf(board: Board, ref: string, widthMax: number): string {
  return paint("bold", cell(board.threads.get(ref)?.title ?? ref, Math.max(8, widthMax)));
}

function typing(
  prompt: string,
  editor: Editor,
  columns: number,
  above: readonly string[],
  isHidden = false,
): Bottom {
  const { shown, cursor } = windowOf(editor, columns - prompt.length, isHidden);
  return { lines: [...above, `${paint("bold", prompt)}${shown}`], column: prompt.length + cursor };
}

function sending(board: Board, dialog: Dialog & { is: "send" }, notes: readonly string[]): Bottom {
  const { columns } = board.size;
  const title = titleOf(board, dialog.ref, Math.floor(columns / 2));
  if (dialog.stage === "text") {
    const help = keys(
      [
        ["enter", "send"],
        ["esc", "drop"],
      ],
      columns,
    );
    return typing("> ", dialog.editor, columns, [...notes, `send to ${title}  ${help}`]);
  }
  const text = cut(`> ${block(dialog.editor.text).replaceAll("\n", "↵")}`, columns);
  const line =
    dialog.stage === "sending"
      ? paint("dim", "sending")
      : `it is busy  ${keys(
          [
            ["q", "queue it"],
            ["t", "steer the turn"],
            ["esc", "edit"],
          ],
          columns - 12,
        )}`;
  return { lines: [...notes, `send to ${title}`, text, line].slice(-3), column: null };
}

function answering(board: Board, dialog: AnswerDialog, notes: readonly string[]): Bottom {
  const { columns } = board.size;
  const { request, reply } = dialog;
  if (dialog.isSending) return { lines: ["", paint("dim", "answering")], column: null };
  if (!request) return { lines: ["", keys([["esc", "back"]], columns)], column: null };
  if (reply) {
    const help = keys(
      [
        ["enter", "answer"],
        ["esc", "back"],
      ],
      columns,
    );
    return typing("> ", reply.editor, columns, [notes[0] ?? help], isSecret(request));
  }
  const choices = choicesOf(request).map((choice) => {
    const label = cell(unpainted(choice.label), 30);
    // What has no effect before the end was seen says so.
    return [choice.key, isApproval(choice) && !dialog.isSeen ? `(${label})` : label] as const;
  });
  const unread = dialog.isSeen ? "" : paint("yellow", "read to the end to approve: space");
  return { lines: [notes[0] ?? unread, keys([...choices, ["esc", "back"]], columns)], column: null };
}
