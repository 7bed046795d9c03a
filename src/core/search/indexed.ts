/** Which items of a thread the index stores, and how much of each. */
import { errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { describeChange } from "../model/changes.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { IndexedItem, IndexedType } from "../model/ports/indexed.ts";
import type { Ref } from "../model/ports/rows.ts";
import type { ItemFacts, TurnFacts } from "../model/ports/thread.ts";

const kept: ReadonlySet<string> = new Set<IndexedType>([
  "user_message",
  "agent_message",
  "plan",
  "command",
  "file_change",
  "mcp_tool_call",
]);

/**
 * `fallbackAt`: the time to use when Codex gives none. Undefined for an item that is not indexed, such as reasoning, or
 * an item without text.
 */
export function indexedItem(
  lane: Ref,
  turnId: string,
  item: ItemFacts,
  fallbackAt: number,
  bytesMax: number,
): IndexedItem | undefined {
  if (!kept.has(item.type)) return undefined;
  const text = [item.command ?? pathsOf(item), item.text].filter((part) => part).join("\n");
  if (text === "") return undefined;
  const type = item.type as IndexedType;
  return {
    lane,
    turn_id: turnId,
    item_id: item.id,
    type,
    at: item.at ?? fallbackAt,
    text: bounded(text, bytesMax),
  };
}

/** For a file change: every path, with what is done to it. */
function pathsOf({ changes, path }: ItemFacts): string | null {
  return changes?.map((change) => describeChange(change, null)).join("\n") ?? path;
}

/** The error of a turn: Codex has no item for it, but users search for it. */
export function indexedError(
  lane: Ref,
  turn: Pick<TurnFacts, "id" | "error" | "completed_at">,
  fallbackAt: number,
  bytesMax: number,
): IndexedItem | undefined {
  if (!turn.error) return undefined;
  return {
    lane,
    turn_id: turn.id,
    item_id: errorId(turn.id),
    type: "error",
    at: turn.completed_at ?? fallbackAt,
    text: bounded(turn.error.message, bytesMax),
  };
}

export function errorId(turnId: string): string {
  return `${turnId}-error`;
}

/** A colour code ends in a letter, which would become one word with the next text (measured: `31mfailed`). */
const colours = /\u001b\[[0-9;:?]*[@-~]/g;

/** Keeps the two ends of a long text: the request or command is at the beginning, the result at the end. */
function bounded(whole: string, bytesMax: number): string {
  const text = whole.includes("\u001b") ? whole.replace(colours, "") : whole;
  // A code unit has at most three bytes: only a long text has to be measured.
  if (text.length * 3 <= bytesMax) return text.toWellFormed();
  const bytes = Buffer.from(text.toWellFormed());
  if (bytes.length <= bytesMax) return bytes.toString();
  const half = Math.floor(bytesMax / 2);
  const front = bytes
    .subarray(0, half)
    .toString()
    .replace(/\ufffd$/, "");
  const back = bytes
    .subarray(-half)
    .toString()
    .replace(/^\ufffd+/, "");
  return `${front}\n…\n${back}`;
}

/** From the configuration; the default when it is broken. */
export function indexedBytesMax({ policy, log }: CoreDeps): number {
  try {
    return policy().indexedBytesMax;
  } catch (thrown) {
    log.debug("the configuration is not read", { reason: errorMessage(thrown) });
    return limits.search.indexedBytesMax;
  }
}
