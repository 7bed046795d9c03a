/** What of a thread the index keeps, and how much of it. */
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

/** `otherwise`: when it was, where Codex does not say. Undefined for what is not kept: thoughts, and what has no words. */
export function indexedItem(
  lane: Ref,
  turnId: string,
  item: ItemFacts,
  otherwise: number,
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
    at: item.at ?? otherwise,
    text: bounded(text, bytesMax),
  };
}

/** Of a file change every path, with what is done to it. */
function pathsOf({ changes, path }: ItemFacts): string | null {
  return changes?.map((change) => describeChange(change, null)).join("\n") ?? path;
}

/** Why a turn failed: no item of Codex's, but a thing that is searched for. */
export function indexedError(
  lane: Ref,
  turn: Pick<TurnFacts, "id" | "error" | "completed_at">,
  otherwise: number,
  bytesMax: number,
): IndexedItem | undefined {
  if (!turn.error) return undefined;
  return {
    lane,
    turn_id: turn.id,
    item_id: errorId(turn.id),
    type: "error",
    at: turn.completed_at ?? otherwise,
    text: bounded(turn.error.message, bytesMax),
  };
}

export function errorId(turnId: string): string {
  return `${turnId}-error`;
}

/** A colour's code ends in a letter, which would become one word with what is coloured: `31mfailed` (measured). */
const colours = /\u001b\[[0-9;:?]*[@-~]/g;

/** Of a long text its two ends: what was asked or run stands in front, and what came of it at the back. */
function bounded(whole: string, bytesMax: number): string {
  const text = whole.includes("\u001b") ? whole.replace(colours, "") : whole;
  // Code units are at most three bytes: only a long text is worth counting.
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

/** As the configuration has it; a broken one keeps nothing from being indexed. */
export function indexedBytesMax({ policy, log }: CoreDeps): number {
  try {
    return policy().indexedBytesMax;
  } catch (thrown) {
    log.debug("the configuration is not read", { reason: errorMessage(thrown) });
    return limits.search.indexedBytesMax;
  }
}
