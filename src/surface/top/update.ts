/** The reducer: what happened, and the key that was typed, become the next board and what is to be done outside. Pure. */
import type { ErrorBody } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Size } from "../../base/terminal.ts";
import type { RequestView } from "../../contract/request.ts";
import type { ThreadView } from "../../contract/thread.ts";
import type { Key } from "./keys.ts";
import {
  type Board,
  type DaemonFacts,
  type Effect,
  type Item,
  type Link,
  pageHeight,
  requestHeight,
  rowsOf,
  tableHeight,
  withOrder,
} from "./model.ts";
import { onKey } from "./onkey.ts";
import { requestLines } from "./requestpage.ts";
import { timelineLines } from "./timeline.ts";

/** The newest message of a thread's agent. */
export type Said = { ref: string } & NonNullable<ThreadView["last_message"]>;

/** What the daemon reports. */
export type Report =
  | { is: "threads"; threads: readonly ThreadView[]; isTruncated: boolean }
  /** Of some threads; `gone`: the refs of those that are no more. */
  | { is: "changed"; threads: readonly ThreadView[]; gone: readonly string[] }
  | { is: "said"; messages: readonly Said[] }
  | { is: "daemon"; daemon: DaemonFacts }
  | { is: "link"; link: Link };

export type Happened =
  | Report
  | { is: "key"; key: Key }
  | { is: "size"; size: Size }
  | { is: "tick" }
  | { is: "tail"; ref: string; items: readonly Item[] }
  | { is: "tailfailed"; ref: string; message: string }
  | { is: "request"; request: RequestView }
  | { is: "done"; text: string }
  | { is: "failed"; error: ErrorBody };

export interface Updated {
  board: Board;
  effects: readonly Effect[];
}

export function update(board: Board, happened: Happened, now: number): Updated {
  const { board: next, effects } = applied(board, happened, now);
  return { board: settled(next, now), effects };
}

function applied(board: Board, happened: Happened, now: number): Updated {
  const only = (next: Board): Updated => ({ board: next, effects: [] });
  const isKept = board.cursor !== null && now - board.lastKeyAt < limits.top.orderKeptMs;
  switch (happened.is) {
    case "key": {
      const { board: next, effects } = onKey(board, happened.key, now);
      const isFreed = board.cursor !== null && next.cursor === null;
      return { board: isFreed ? withOrder(next, false) : next, effects };
    }
    case "size":
      return only({ ...board, size: happened.size });
    case "tick": {
      const note = board.note && board.note.until <= now ? null : board.note;
      const isSame = isKept || board.cursor === null;
      return only(isSame ? { ...board, note } : withOrder({ ...board, note }, false));
    }
    case "threads": {
      const threads = new Map(happened.threads.map((thread) => [thread.ref, thread]));
      return only(withOrder({ ...board, threads, isTruncated: happened.isTruncated }, isKept));
    }
    case "changed": {
      const threads = new Map(board.threads);
      for (const thread of happened.threads) threads.set(thread.ref, thread);
      for (const ref of happened.gone) threads.delete(ref);
      return only(withOrder({ ...board, threads }, isKept));
    }
    case "said": {
      const threads = new Map(board.threads);
      for (const { ref, ...last_message } of happened.messages) {
        const thread = threads.get(ref);
        if (thread) threads.set(ref, { ...thread, last_message });
      }
      return only({ ...board, threads });
    }
    case "daemon":
      return only({ ...board, daemon: happened.daemon });
    case "link":
      return only({ ...board, link: happened.link });
    case "tail":
    case "tailfailed":
      if (board.open?.ref !== happened.ref) return only(board);
      return only({
        ...board,
        open:
          happened.is === "tail"
            ? { ...board.open, items: happened.items, error: null }
            : { ...board.open, error: happened.message },
      });
    case "request": {
      const { dialog } = board;
      if (dialog?.is !== "answer" || dialog.id !== happened.request.id) return only(board);
      return only({ ...board, dialog: { ...dialog, request: happened.request } });
    }
    case "done":
      return only(withDone(board, happened.text, now));
    case "failed":
      return only(withFailure(board, happened.error));
  }
}

function withDone(board: Board, text: string, now: number): Board {
  const isOver = board.dialog !== null && board.dialog.is !== "filter" && board.dialog.is !== "help";
  const note = { text, hint: null, isError: false, until: now + limits.top.noteMs };
  return { ...board, dialog: isOver ? null : board.dialog, note };
}

/** What was typed stays, so that it can be sent in another way. */
function withFailure(board: Board, { code, message, hint }: ErrorBody): Board {
  const note = { text: message, hint, isError: true, until: Number.POSITIVE_INFINITY };
  const { dialog } = board;
  if (dialog?.is === "send")
    return { ...board, note, dialog: { ...dialog, stage: code === "thread_busy" ? "mode" : "text" } };
  if (dialog?.is === "stop") return { ...board, note, dialog: null };
  if (dialog?.is === "answer")
    return { ...board, note, dialog: dialog.request ? { ...dialog, isSending: false } : null };
  return { ...board, note };
}

/** Positions that are possible: the cursor on a row that is shown, no line beyond the last. */
function settled(board: Board, now: number): Board {
  let next = board;
  const rows = rowsOf(next);
  const height = tableHeight(next);
  const at = Math.max(
    0,
    rows.findIndex(({ thread }) => thread.ref === next.cursor),
  );
  const highest = Math.max(0, rows.length - height);
  const scroll = Math.min(highest, Math.max(0, Math.min(Math.max(next.scroll, at - height + 1), at)));
  if (scroll !== next.scroll) next = { ...next, scroll };
  if (next.cursor !== null && !next.threads.has(next.cursor)) next = { ...next, cursor: null };
  if (next.open && !next.threads.has(next.open.ref)) next = { ...next, open: null };
  if (next.open) {
    const lines = timelineLines(next.open, next.threads.get(next.open.ref), next.size.columns, now);
    const back = Math.max(0, Math.min(next.open.back, lines.length - pageHeight(next)));
    if (back !== next.open.back) next = { ...next, open: { ...next.open, back } };
  }
  return withRequestPosition(next, now);
}

function withRequestPosition(board: Board, now: number): Board {
  const { dialog } = board;
  if (dialog?.is !== "answer" || !dialog.request) return board;
  const count = requestLines(dialog.request, board.size.columns, now).length;
  const last = Math.max(0, count - requestHeight(board));
  const scroll = Math.max(0, Math.min(dialog.scroll, last));
  const isSeen = dialog.isSeen || scroll === last;
  if (scroll === dialog.scroll && isSeen === dialog.isSeen) return board;
  return { ...board, dialog: { ...dialog, scroll, isSeen } };
}
