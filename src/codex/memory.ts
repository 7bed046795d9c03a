/** The little that one line needs of lines before it. Bounded; it lives and dies with its child. */
import { limits } from "../base/limits.ts";
import { itemFacts } from "./items.ts";
import { type Json, object, text } from "./read.ts";

export interface StreamMemory {
  note(method: string, params: Json): void;
  /** The turn that started last in a thread, ended or not. */
  lastTurnOf(threadId: string): string | undefined;
  /** The diff of a file change that is not completed: a question about it carries none. */
  diffOf(threadId: string | null, itemId: string | null): string | null;
}

export function streamMemory(): StreamMemory {
  const turns = new Map<string, string>();
  const diffs = new Map<string, string>();
  return {
    note(method, params) {
      const thread = text(params["threadId"]);
      if (thread === null) return;
      if (method === "turn/started") {
        const turn = text(object(params["turn"])?.["id"]);
        if (turn !== null) turns.set(thread, turn);
      } else if (method === "thread/closed") turns.delete(thread);
      else if (method === "item/started" || method === "item/completed") {
        const item = itemFacts(params["item"]);
        if (item?.type !== "file_change") return;
        const key = `${thread} ${item.id}`;
        diffs.delete(key);
        if (method === "item/started") diffs.set(key, item.text);
        const [oldest] = diffs.keys();
        if (diffs.size > limits.childOpenDiffsMax && oldest !== undefined) diffs.delete(oldest);
      }
    },
    lastTurnOf: (threadId) => turns.get(threadId),
    diffOf: (threadId, itemId) => diffs.get(`${threadId} ${itemId}`) ?? null,
  };
}
