/** Shortens a result to fit an agent's context: it cuts long texts, as little as possible, and notes the cut length. */
import { limits } from "../../base/limits.ts";
import type { Row } from "../client.ts";

export interface Bounded {
  result: Row;
  /** The size of the JSON after the cut. */
  bytes: number;
  isCut: boolean;
}

export function bounded(result: Row, bytesMax: number = limits.mcp.resultBytesMax): Bounded {
  let cut: Bounded = { result, bytes: bytesOf(result), isCut: false };
  for (
    let charsMax = limits.mcp.textCharsMax;
    cut.bytes > bytesMax && charsMax >= limits.mcp.textCharsMin;
    charsMax /= 2
  ) {
    const shorter = shortened(result, charsMax) as Row;
    cut = { result: shorter, bytes: bytesOf(shorter), isCut: true };
  }
  return cut;
}

function shortened(value: unknown, charsMax: number): unknown {
  if (typeof value === "string") return shortText(value, charsMax);
  if (Array.isArray(value)) return value.map((item) => shortened(item, charsMax));
  if (typeof value !== "object" || value === null) return value;
  // A cursor must stay whole.
  const entries = Object.entries(value).map(([key, inner]) =>
    key.endsWith("cursor") ? [key, inner] : [key, shortened(inner, charsMax)],
  );
  return Object.fromEntries(entries);
}

export function shortText(text: string, charsMax: number = limits.mcp.textCharsMax): string {
  const over = text.length - charsMax;
  if (over <= 0) return text;
  // Not through the middle of a surrogate pair.
  const end = charsMax - (/[\ud800-\udbff]/.test(text[charsMax - 1]!) ? 1 : 0);
  return `${text.slice(0, end)}… [${over} more characters]`;
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
