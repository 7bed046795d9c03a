/** The end of a thread's history, read in pages from the newest turn, never the whole thread. */

import { iso, isoOrNull } from "../../base/clock.ts";
import { pageCursor, readCursor } from "../../base/cursor.ts";
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

/** The item that the next page begins with, and the page of Codex that it was in (whose cursor is by key, facts F77). */
type TailKey = readonly [page: string | null, turnId: string, itemId: string];

export async function tail(
  deps: CoreDeps,
  ref: Ref,
  options: { limit: number; turns: number | null; full: boolean; cursor: string | null },
): Promise<Tail> {
  const lane = deps.store.lanes.get(ref);
  const list = `tail ${ref}`;
  const from = options.cursor === null ? null : readCursor(options.cursor, list, isTailKey);
  if (lane.thread_id === null) return { items: [], next_cursor: null };
  await deps.agent.ready(limits.codex.readyWaitMs);
  const newestFirst: ItemView[] = [];
  const turnIds = new Set<string>();
  let page = from?.[0] ?? null;
  let isReached = from === null;
  for (let read = 0; read < limits.wire.historyPagesMax; read++) {
    const { turns, next_cursor } = await deps.agent.listTurns(lane.thread_id, {
      cursor: page,
      limit: limits.wire.historyPageTurns,
    });
    for (const item of turns.flatMap((turn) => itemsOf(turn, options.full).reverse())) {
      isReached ||= item.turn_id === from?.[1] && item.item_id === from[2];
      // What is newer came after the page before, or was in it.
      if (!isReached) continue;
      turnIds.add(item.turn_id);
      const isOver =
        newestFirst.length >= options.limit || (options.turns !== null && turnIds.size > options.turns);
      if (isOver)
        return {
          items: newestFirst.reverse(),
          next_cursor: pageCursor(list, [page, item.turn_id, item.item_id] satisfies TailKey),
        };
      newestFirst.push(item);
    }
    if (next_cursor === null) break;
    page = next_cursor;
  }
  if (!isReached)
    fail("usage", "the place of that cursor is not in the history any more", {
      hint: `leave --cursor out to begin at the end: dispatch tail ${ref}`,
    });
  return { items: newestFirst.reverse(), next_cursor: null };
}

function isTailKey(key: readonly unknown[]): key is TailKey {
  const [page, ...ids] = key;
  return (
    key.length === 3 &&
    (page === null || typeof page === "string") &&
    ids.every((id) => typeof id === "string")
  );
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
