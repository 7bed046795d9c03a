/** What a key does where. Pure. */
import { limits } from "../../base/limits.ts";
import { edited, editorWith, emptyEditor } from "./editor.ts";
import type { Key } from "./keys.ts";
import {
  type AnswerDialog,
  type Board,
  type Dialog,
  type Effect,
  isTooSmall,
  type Mode,
  pageHeight,
  requestHeight,
  rowsOf,
  selected,
  tableHeight,
} from "./model.ts";
import { answerTemplate, choicesOf, isApproval, isShownWhole } from "./requestpage.ts";
import { isRunning } from "./threads.ts";
import type { Updated } from "./update.ts";

export function onKey(board: Board, key: Key, now: number): Updated {
  if (key.name === "ctrl-c") return { board, effects: [{ do: "quit" }] };
  if (key.name === "ctrl-z") return { board, effects: [{ do: "suspend" }] };
  // What an error says is shown until the next key.
  const quiet = { ...board, lastKeyAt: now, note: board.note?.isError ? null : board.note };
  if (isTooSmall(board)) return key.name === "q" ? to(board, { do: "quit" }) : to(board);
  switch (quiet.dialog?.is) {
    case "filter":
      return onFilterKey(quiet, key);
    case "help":
      return to({ ...quiet, dialog: null });
    case "stop":
      return onStopKey(quiet, quiet.dialog, key);
    case "send":
      return onSendKey(quiet, quiet.dialog, key, now);
    case "answer":
      return onAnswerKey(quiet, quiet.dialog, key, now);
    case undefined:
      return quiet.open ? onPageKey(quiet, key, now) : onTableKey(quiet, key, now);
  }
}

const to = (board: Board, ...effects: Effect[]): Updated => ({ board, effects });

function refused(board: Board, text: string, now: number): Updated {
  return to({ ...board, note: { text, hint: null, isError: false, until: now + limits.top.noteMs } });
}

/** How far a key goes; undefined: it is no such key. `page`: the lines that are shown. */
function stepOf({ name }: Key, page: number): number | undefined {
  switch (name) {
    case "up":
    case "k":
      return -1;
    case "down":
    case "j":
      return 1;
    case "pageup":
      return 1 - page;
    case "pagedown":
    case " ":
      return page - 1;
    case "home":
    case "g":
      return Number.NEGATIVE_INFINITY;
    case "end":
    case "G":
      return Number.POSITIVE_INFINITY;
    default:
      return undefined;
  }
}

function onTableKey(board: Board, key: Key, now: number): Updated {
  const step = stepOf(key, tableHeight(board));
  if (step !== undefined) {
    const rows = rowsOf(board);
    const at = Math.max(
      0,
      rows.findIndex(({ thread }) => thread.ref === board.cursor),
    );
    const row = rows[Math.max(0, Math.min(rows.length - 1, at + step))];
    return to({ ...board, cursor: row?.thread.ref ?? null });
  }
  const thread = selected(board);
  switch (key.name) {
    case "enter":
    case "right":
      if (!thread) return to(board);
      return to(
        { ...board, cursor: thread.ref, open: { ref: thread.ref, items: null, back: 0, error: null } },
        { do: "tail", ref: thread.ref },
      );
    case "escape":
      // First the filter goes, then the cursor: the order moves again.
      return to(
        board.filter.text === "" ? { ...board, cursor: null, scroll: 0 } : { ...board, filter: emptyEditor },
      );
    default:
      return onCommonKey(board, key, now);
  }
}

function onPageKey(board: Board, key: Key, now: number): Updated {
  const open = board.open!;
  const step = stepOf(key, pageHeight(board));
  if (step !== undefined) return to({ ...board, open: { ...open, back: open.back - step } });
  if (key.name === "escape" || key.name === "left") return to({ ...board, open: null });
  return onCommonKey(board, key, now);
}

function onCommonKey(board: Board, { name }: Key, now: number): Updated {
  const thread = selected(board);
  const begin = (dialog: Dialog, ...effects: Effect[]) =>
    to({ ...board, dialog, ...(thread && !board.open ? { cursor: thread.ref } : {}) }, ...effects);
  switch (name) {
    case "q":
      return to(board, { do: "quit" });
    case "?":
      return to({ ...board, dialog: { is: "help" } });
    case "/":
      return to({ ...board, open: null, dialog: { is: "filter" } });
    case "a": {
      const [ask] = thread?.requests ?? [];
      if (!thread || !ask) return refused(board, "this thread asks nothing", now);
      const { ref } = thread;
      return begin(
        {
          is: "answer",
          ref,
          id: ask.id,
          request: null,
          scroll: 0,
          isSeen: false,
          reply: null,
          isSending: false,
        },
        { do: "request", ref, id: ask.id },
      );
    }
    case "s":
      if (!thread) return to(board);
      return begin({ is: "send", ref: thread.ref, editor: emptyEditor, stage: "text" });
    case "x":
      if (!thread) return to(board);
      if (!isRunning(thread)) return refused(board, "no turn runs in this thread", now);
      return begin({ is: "stop", ref: thread.ref, isSending: false });
    default:
      return to(board);
  }
}

function onFilterKey(board: Board, key: Key): Updated {
  if (key.name === "enter") return to({ ...board, dialog: null });
  if (key.name === "escape") return to({ ...board, dialog: null, filter: emptyEditor });
  // A filter is one line.
  const typed = key.name === "paste" ? { ...key, text: key.text!.replace(/\s+/g, " ") } : key;
  const filter = edited(board.filter, typed);
  return filter === "full" ? to(board) : to({ ...board, filter, cursor: null, scroll: 0 });
}

function onStopKey(board: Board, dialog: Dialog & { is: "stop" }, { name }: Key): Updated {
  if (dialog.isSending) return to(board);
  if (name === "y")
    return to({ ...board, dialog: { ...dialog, isSending: true } }, { do: "stop", ref: dialog.ref });
  return ["n", "escape", "q"].includes(name) ? to({ ...board, dialog: null }) : to(board);
}

function onSendKey(board: Board, dialog: Dialog & { is: "send" }, key: Key, now: number): Updated {
  const { ref, editor, stage } = dialog;
  if (stage === "sending") return to(board);
  const send = (mode: Mode) =>
    to({ ...board, dialog: { ...dialog, stage: "sending" } }, { do: "send", ref, text: editor.text, mode });
  if (stage === "mode") {
    if (key.name === "q") return send("queue");
    if (key.name === "t") return send("steer");
    return key.name === "escape" ? to({ ...board, dialog: { ...dialog, stage: "text" } }) : to(board);
  }
  if (key.name === "escape") return to({ ...board, dialog: null });
  if (key.name === "enter") {
    const thread = board.threads.get(ref);
    if (editor.text.trim() === "") return refused(board, "nothing is typed", now);
    const isBusy = thread !== undefined && (isRunning(thread) || thread.requests.length > 0);
    return isBusy ? to({ ...board, dialog: { ...dialog, stage: "mode" } }) : send("send");
  }
  const next = edited(editor, key);
  return next === "full" ? full(board, now) : to({ ...board, dialog: { ...dialog, editor: next } });
}

function onAnswerKey(board: Board, dialog: AnswerDialog, key: Key, now: number): Updated {
  const { request, reply } = dialog;
  if (dialog.isSending) return to(board);
  const answer = (input: Record<string, unknown>) =>
    to({ ...board, dialog: { ...dialog, isSending: true } }, { do: "answer", id: dialog.id, input });
  if (reply) {
    if (key.name === "escape") return to({ ...board, dialog: { ...dialog, reply: null } });
    if (key.name === "enter") return answer({ [reply.option]: reply.editor.text });
    const editor = edited(reply.editor, key);
    return editor === "full"
      ? full(board, now)
      : to({ ...board, dialog: { ...dialog, reply: { ...reply, editor } } });
  }
  if (key.name === "escape" || key.name === "q") return to({ ...board, dialog: null });
  const step = stepOf(key, requestHeight(board));
  if (step !== undefined) return to({ ...board, dialog: { ...dialog, scroll: dialog.scroll + step } });
  const choice = request && choicesOf(request).find((one) => one.key === key.name);
  if (!request || !choice) return to(board);
  if (isApproval(choice) && !isShownWhole(request, board.size.columns, now))
    return refused(board, "it is too long to be shown whole here, so it cannot be approved here", now);
  if (isApproval(choice) && !dialog.isSeen)
    return refused(board, "read it to its end first: End, or space", now);
  if (choice.input) return answer(choice.input);
  const option = choice.option === "answer" ? "answer" : "reply";
  const editor = option === "answer" ? editorWith(answerTemplate(request)) : emptyEditor;
  return to({ ...board, dialog: { ...dialog, reply: { option, editor } } });
}

function full(board: Board, now: number): Updated {
  return refused(board, `a text here has at most ${limits.top.editorBytesMax / 1024} KiB`, now);
}
