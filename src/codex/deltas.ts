/**
 * Deltas are most of the stream (10,000 a second), and none is stored. They are recognised by the first bytes of the
 * line, so that an untapped line is never decoded. Every notification begins with `method` (facts F66).
 */
import type { Delta } from "../core/model/ports/agent.ts";
import { type Json, row, text } from "./read.ts";

const methods = [
  "item/agentMessage/delta",
  "item/plan/delta",
  "item/reasoning/summaryTextDelta",
  "item/reasoning/textDelta",
  "item/reasoning/summaryPartAdded",
  "item/commandExecution/outputDelta",
  "item/fileChange/outputDelta",
  "item/fileChange/patchUpdated",
  "item/mcpToolCall/progress",
  "command/exec/outputDelta",
  "process/outputDelta",
];

const encoder = new TextEncoder();
const common = encoder.encode('{"method":"');
const tails = methods.map((method) => encoder.encode(`${method}"`));

export function isDelta(line: Uint8Array): boolean {
  if (!hasAt(line, common, 0)) return false;
  return tails.some((tail) => hasAt(line, tail, common.length));
}

function hasAt(line: Uint8Array, wanted: Uint8Array, at: number): boolean {
  if (line.length < at + wanted.length) return false;
  for (let i = 0; i < wanted.length; i++) if (line[at + i] !== wanted[i]) return false;
  return true;
}

/** Deltas of the model's text. The others are from tools. */
const written: Record<string, Delta["type"]> = {
  "item/agentMessage/delta": "agent_message",
  "item/plan/delta": "plan",
  "item/reasoning/summaryTextDelta": "reasoning",
  "item/reasoning/textDelta": "reasoning",
};

export function deltaOf(method: string, params: Json): Delta | null {
  const type = row(written, method);
  const [turn_id, item_id, piece] = [text(params["turnId"]), text(params["itemId"]), text(params["delta"])];
  return type === undefined || turn_id === null || item_id === null || piece === null
    ? null
    : { turn_id, item_id, type, text: piece };
}
