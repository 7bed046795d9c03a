/** What the board knows and shows. Pure data; update.ts changes it, render.ts draws it. */
import { limits } from "../../base/limits.ts";
import type { Size } from "../../base/terminal.ts";
import type { RequestView } from "../../contract/request.ts";
import type { ThreadView } from "../../contract/thread.ts";
import { type Editor, emptyEditor } from "./editor.ts";
import { fits, isShown, ordered, type TreeRow, treeOf } from "./threads.ts";

export interface Board {
  size: Size;
  /** By ref. */
  threads: ReadonlyMap<string, ThreadView>;
  /** There are more threads than the board reads. */
  isTruncated: boolean;
  /** Refs in the order that is shown. Kept while the cursor is on a row. */
  order: readonly string[];
  /** The selected thread. Null: the first row, whichever that is, and the order moves. */
  cursor: string | null;
  /** The first row that is shown. */
  scroll: number;
  lastKeyAt: number;
  filter: Editor;
  link: Link;
  daemon: DaemonFacts | null;
  open: OpenThread | null;
  dialog: Dialog | null;
  note: Note | null;
}

/** The connection to the daemon. `since`: ms of the wall clock. */
export type Link = { isUp: true } | { isUp: false; since: number; why: string; hint: string | null };

/** Of `daemon.status`. */
export interface DaemonFacts {
  version: string;
  codex: { state: string; version: string | null; error: string | null };
  limits: readonly { provider: string; until: string; reason: string }[];
  degraded: readonly string[];
}

export interface Item {
  turn_id: string;
  item_id: string;
  type: string;
  text: string;
  command: string | null;
  arguments: string | null;
  exit_code: number | null;
  changes: { path: string; kind: string; to: string | null }[] | null;
  path: string | null;
  status: string | null;
  at: string | null;
}

/** A thread's own page. */
export interface OpenThread {
  ref: string;
  /** Null: not read yet. */
  items: readonly Item[] | null;
  /** Lines above the newest one. 0: it follows what comes. */
  back: number;
  error: string | null;
}

export interface Note {
  text: string;
  hint: string | null;
  isError: boolean;
  until: number;
}

export type Dialog =
  | { is: "filter" }
  | { is: "help" }
  | { is: "stop"; ref: string; isSending: boolean }
  | { is: "send"; ref: string; editor: Editor; stage: "text" | "mode" | "sending" }
  | AnswerDialog;

export interface AnswerDialog {
  is: "answer";
  ref: string;
  id: string;
  /** Null: not read yet. */
  request: RequestView | null;
  scroll: number;
  /** Its last line was on the screen. Before that nothing is approved. */
  isSeen: boolean;
  /** The text that is typed as the answer. */
  reply: { option: "reply" | "answer"; editor: Editor } | null;
  isSending: boolean;
}

export type Mode = "send" | "queue" | "steer";

/** What an update wants done outside. */
export type Effect =
  | { do: "tail"; ref: string }
  | { do: "request"; ref: string; id: string }
  | { do: "answer"; id: string; input: Record<string, unknown> }
  | { do: "send"; ref: string; text: string; mode: Mode }
  | { do: "stop"; ref: string }
  | { do: "suspend" }
  | { do: "quit" };

export function emptyBoard(size: Size, now: number): Board {
  return {
    size,
    threads: new Map(),
    isTruncated: false,
    order: [],
    cursor: null,
    scroll: 0,
    lastKeyAt: now,
    filter: emptyEditor,
    link: { isUp: true },
    daemon: null,
    open: null,
    dialog: null,
    note: null,
  };
}

export function isTooSmall({ size }: Board): boolean {
  return size.columns < limits.top.columnsMin || size.rows < limits.top.rowsMin;
}

/** By what they are made of: one step and its picture ask for them several times. */
const made = new WeakMap<Board["threads"], { order: Board["order"]; filter: string; rows: TreeRow[] }>();

/** The rows that the filter leaves, in the order of the board. */
export function rowsOf({ threads, order, filter }: Board): TreeRow[] {
  const known = made.get(threads);
  if (known?.order === order && known.filter === filter.text) return known.rows;
  const shown = order.flatMap((ref) => threads.get(ref) ?? []).filter(isShown);
  const rows = treeOf(filter.text === "" ? shown : shown.filter((thread) => fits(thread, filter.text)));
  made.set(threads, { order, filter: filter.text, rows });
  return rows;
}

/** The thread that a key acts on. */
export function selected(board: Board): ThreadView | undefined {
  if (board.open) return board.threads.get(board.open.ref);
  const rows = rowsOf(board);
  return (rows.find(({ thread }) => thread.ref === board.cursor) ?? rows[0])?.thread;
}

/** Takes the order that the threads have now, or keeps the order and adds what is new below. */
export function withOrder(board: Board, isKept: boolean): Board {
  const now = ordered(board.threads.values());
  if (!isKept) return { ...board, order: now };
  const known = new Set(board.order);
  const kept = board.order.filter((ref) => board.threads.has(ref));
  return { ...board, order: [...kept, ...now.filter((ref) => !known.has(ref))] };
}

/** Lines under the table: about the selected thread, and the keys. */
export function bottomHeight({ size, dialog }: Board): number {
  const resting = size.rows >= 16 ? 3 : size.rows >= 11 ? 2 : 1;
  return dialog?.is === "send" ? Math.max(3, resting) : Math.max(dialog?.is === "stop" ? 2 : 1, resting);
}

/** Lines above the table: the counts, what is wrong with the daemon, the names of the columns. */
const headHeight = (board: Board) => 2 + (hasBanner(board) ? 1 : 0);

export function hasBanner({ link, daemon }: Board): boolean {
  if (!link.isUp) return true;
  return daemon !== null && (daemon.limits.length > 0 || daemon.degraded.length > 0);
}

export function tableHeight(board: Board): number {
  return Math.max(1, board.size.rows - headHeight(board) - bottomHeight(board));
}

/** A page of a thread or of a request: its title, a blank line below, and the keys. */
export const pageHeight = (board: Board) => Math.max(1, board.size.rows - 1 - bottomHeight(board));

/** A request takes the whole screen but its title and two lines. */
export const requestHeight = ({ size }: Board) => Math.max(1, size.rows - 3);
