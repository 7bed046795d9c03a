/** What of a thread the index keeps, and how much of it. */
import { limits } from "../base/limits.ts";
import type { ItemFacts, TurnFacts } from "./ports/agent.ts";
import type { IndexedItem, IndexedType, Ref } from "./ports/store.ts";

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
): IndexedItem | undefined {
  if (!kept.has(item.type)) return undefined;
  const text = [item.command ?? item.path, item.text].filter((part) => part).join("\n");
  if (text === "") return undefined;
  const type = item.type as IndexedType;
  return { lane, turn_id: turnId, item_id: item.id, type, at: item.at ?? otherwise, text: bounded(text) };
}

/** Why a turn failed: no item of Codex's, but a thing that is searched for. */
export function indexedError(
  lane: Ref,
  turn: Pick<TurnFacts, "id" | "error" | "completed_at">,
  otherwise: number,
): IndexedItem | undefined {
  if (!turn.error) return undefined;
  return {
    lane,
    turn_id: turn.id,
    item_id: errorId(turn.id),
    type: "error",
    at: turn.completed_at ?? otherwise,
    text: bounded(turn.error.message),
  };
}

export function errorId(turnId: string): string {
  return `${turnId}-error`;
}

/** A colour's code ends in a letter, which would become one word with what is coloured: `31mfailed` (measured). */
const colours = /\u001b\[[0-9;:?]*[@-~]/g;

/** Of a long text its two ends: what was asked or run stands in front, and what came of it at the back. */
function bounded(whole: string): string {
  const text = whole.includes("\u001b") ? whole.replace(colours, "") : whole;
  const over = text.length - limits.indexedCharsMax;
  if (over <= 0) return text.toWellFormed();
  const half = limits.indexedCharsMax / 2;
  return `${text.slice(0, half)}\n…\n${text.slice(-half)}`.toWellFormed();
}
