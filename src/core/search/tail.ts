/** The end of a thread's history, read in pages from the newest turn, never the whole thread. */

import { iso, isoOrNull } from "../../base/clock.ts";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { FileChange } from "../model/ports/filechange.ts";
import type { Ref } from "../model/ports/rows.ts";
import type { ItemFacts, TurnFacts } from "../model/ports/thread.ts";
import { errorId } from "./indexed.ts";

export interface ItemView {
  turn_id: string;
  item_id: string;
  type: string;
  text: string;
  truncated: boolean;
  command: string | null;
  /** Of a tool call, as JSON; its beginning unless the whole was asked for. */
  arguments: string | null;
  exit_code: number | null;
  path: string | null;
  /** For a file change: each path, and what is done to it; the diffs are in the text. Null: not known. */
  changes: Omit<FileChange, "diff">[] | null;
  status: string | null;
  at: string | null;
}

export interface Tail {
  /** Newest last. */
  items: ItemView[];
  next_cursor: string | null;
}

/** Where a page ended: a page of Codex, and how many of its items (newest first) were already returned. */
interface TailCursor {
  page: string | null;
  skip: number;
}

export async function tail(
  deps: CoreDeps,
  ref: Ref,
  options: { limit: number; turns: number | null; full: boolean; cursor: string | null },
): Promise<Tail> {
  const lane = deps.store.lanes.get(ref);
  if (lane.thread_id === null) return { items: [], next_cursor: null };
  await deps.agent.ready(limits.codex.readyWaitMs);
  let position: TailCursor = options.cursor === null ? { page: null, skip: 0 } : decodeCursor(options.cursor);
  const newestFirst: ItemView[] = [];
  const turnIds = new Set<string>();
  for (;;) {
    const { turns, next_cursor } = await deps.agent.listTurns(lane.thread_id, {
      cursor: position.page,
      limit: limits.wire.historyPageTurns,
    });
    const items = turns.flatMap((turn) => itemsOf(turn, options.full).reverse()).slice(position.skip);
    for (const [at, item] of items.entries()) {
      turnIds.add(item.turn_id);
      const isOver =
        newestFirst.length >= options.limit || (options.turns !== null && turnIds.size > options.turns);
      if (isOver)
        return {
          items: newestFirst.reverse(),
          next_cursor: cursorOf({ page: position.page, skip: position.skip + at }),
        };
      newestFirst.push(item);
    }
    if (next_cursor === null) return { items: newestFirst.reverse(), next_cursor: null };
    position = { page: next_cursor, skip: 0 };
  }
}

function itemsOf(turn: TurnFacts, full: boolean): ItemView[] {
  const items = turn.items.map((item) => itemView(turn, item, full));
  if (turn.error) items.push(errorView(turn, turn.error.message));
  return items;
}

function itemView(turn: TurnFacts, item: ItemFacts, full: boolean): ItemView {
  const most = limits.thread.tailItemCharsMax;
  const isCut = !full && [item.text, item.arguments ?? ""].some((text) => text.length > most);
  const cut = (text: string) => (isCut ? text.slice(0, most).toWellFormed() : text);
  return {
    turn_id: turn.id,
    item_id: item.id,
    type: item.type,
    text: cut(item.text),
    truncated: isCut,
    command: item.command,
    arguments: item.arguments === null ? null : cut(item.arguments),
    exit_code: item.exit_code,
    path: item.path,
    changes: item.changes?.map(({ path, kind, to }) => ({ path, kind, to })) ?? null,
    status: item.status,
    at: isoOrNull(item.at ?? turn.started_at),
  };
}

function errorView(turn: TurnFacts, message: string): ItemView {
  const at = turn.completed_at ?? turn.started_at;
  const none = {
    command: null,
    arguments: null,
    exit_code: null,
    path: null,
    changes: null,
    status: turn.status,
    truncated: false,
  };
  return {
    turn_id: turn.id,
    item_id: errorId(turn.id),
    type: "error",
    text: message,
    at: at === null ? null : iso(at),
    ...none,
  };
}

function cursorOf(position: TailCursor): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

function decodeCursor(cursor: string): TailCursor {
  try {
    const position: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (
      typeof position === "object" &&
      position !== null &&
      "page" in position &&
      "skip" in position &&
      Number.isInteger(position.skip)
    )
      return position as TailCursor;
  } catch {
    // Reported below, like any other wrong cursor.
  }
  return fail("usage", "that is not a cursor of tail", { hint: "leave --cursor out to begin at the end" });
}
