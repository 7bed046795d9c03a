/** Reads a page of a thread's turns with all items, newest first. */
import { DispatchError } from "../base/error.ts";
import type { TurnFacts } from "../core/model/ports/thread.ts";
import { type Json, list, text } from "./read.ts";
import { turnFacts } from "./wire.ts";

export interface TurnPage {
  turns: TurnFacts[];
  next_cursor: string | null;
}

/** Whole items make long lines (facts F60): a page that is too large for a line is requested again with half the turns. */
export async function turnPage(
  read: (method: string, params: Json) => Promise<Json>,
  threadId: string,
  page: { cursor: string | null; limit: number },
): Promise<TurnPage> {
  for (let limit = page.limit; ; limit = Math.ceil(limit / 2)) {
    try {
      const params = { threadId, cursor: page.cursor, limit, sortDirection: "desc", itemsView: "full" };
      const answer = await read("thread/turns/list", params);
      return {
        turns: list(answer["data"]).flatMap((turn) => turnFacts(turn) ?? []),
        next_cursor: text(answer["nextCursor"]),
      };
    } catch (thrown) {
      if (hasNoTurns(thrown)) return { turns: [], next_cursor: null };
      const isTooLarge = thrown instanceof DispatchError && thrown.code === "too_large";
      if (!isTooLarge || limit === 1) throw thrown;
    }
  }
}

/** A thread with neither a name nor a message refuses to list its turns. */
function hasNoTurns(thrown: unknown): boolean {
  return thrown instanceof DispatchError && /is not materialized yet/.test(String(thrown.data?.["words"]));
}
