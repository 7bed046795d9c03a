/** Results that fit an agent's context: long texts are cut first, and say by how much. */
import { limits } from "../../base/limits.ts";
import type { Row } from "../client.ts";

export interface Bounded {
  result: Row;
  /** Of the JSON, after cutting. */
  bytes: number;
  isCut: boolean;
}

export function bounded(result: Row, bytesMax: number = limits.mcpResultBytesMax): Bounded {
  const bytes = bytesOf(result);
  if (bytes <= bytesMax) return { result, bytes, isCut: false };
  const cut = shortened(result) as Row;
  return { result: cut, bytes: bytesOf(cut), isCut: true };
}

function shortened(value: unknown): unknown {
  if (typeof value === "string") return shortText(value);
  if (Array.isArray(value)) return value.map(shortened);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shortened(inner)]));
}

function shortText(text: string): string {
  const over = text.length - limits.mcpTextCharsMax;
  if (over <= 0) return text;
  // Not through the middle of a surrogate pair.
  const end = limits.mcpTextCharsMax - (/[\ud800-\udbff]/.test(text[limits.mcpTextCharsMax - 1]!) ? 1 : 0);
  return `${text.slice(0, end)}… [${over} more characters]`;
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
