/** Shortens a result to fit an agent's context: long texts first, as little as possible, then rows of its longest list. */
import { limits } from "../../base/limits.ts";
import { shortTexts } from "../../base/shorten.ts";
import type { Row } from "../wire.ts";

export interface Bounded {
  result: Row;
  isCut: boolean;
}

export function bounded(result: Row, bytesMax: number = limits.mcp.resultBytesMax): Bounded {
  if (bytesOf(result) <= bytesMax) return { result, isCut: false };
  let short = result;
  for (
    let charsMax = limits.mcp.textCharsMax;
    bytesOf(short) > bytesMax && charsMax >= limits.mcp.textCharsMin;
    charsMax /= 2
  )
    short = shortTexts(result, charsMax) as Row;
  return { result: withFewerRows(short, bytesMax), isCut: true };
}

/** Keeps the first rows of the longest list, and says how many there are. Without a list only the short values are kept. */
function withFewerRows(result: Row, bytesMax: number): Row {
  if (bytesOf(result) <= bytesMax) return result;
  const lists = Object.entries(result).filter((entry): entry is [string, unknown[]] =>
    Array.isArray(entry[1]),
  );
  const [name, rows] = lists.sort(([, a], [, b]) => bytesOf(b) - bytesOf(a))[0] ?? ["", []];
  const rest = { ...result, [name]: [] };
  if (rows.length === 0 || bytesOf(rest) > bytesMax - limits.mcp.textCharsMin) return shortValues(result);
  let bytes = bytesOf(rest) + limits.mcp.textCharsMin;
  let count = 0;
  while (count < rows.length && bytes + bytesOf(rows[count]) + 1 <= bytesMax)
    bytes += bytesOf(rows[count++]) + 1;
  return {
    ...result,
    [name]: rows.slice(0, count),
    cut: `${count} of ${rows.length} ${name} are shown, because the answer is too large: ask for fewer`,
  };
}

function shortValues(result: Row): Row {
  const entries = Object.entries(result).filter(([, value]) => bytesOf(value) <= limits.mcp.textCharsMin);
  return { ...Object.fromEntries(entries), cut: "the rest is too large: dispatch shows it in a shell" };
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? "");
}
