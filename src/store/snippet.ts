/** Turns the hit that FTS5 marks into one line of text and the position of the hit in it. */
import { limits } from "../base/limits.ts";
import { joined } from "../base/unspaced.ts";

// The marks around a hit: noncharacters that `base/text.ts` does not use. They are removed from texts.
export const [open, close] = ["\ufdd8", "\ufdd9"];
const stray = /[\ufdd8\ufdd9]/;
const strays = /[\ufdd8\ufdd9]/g;

/** A text without our marks. */
export function unmarked(text: string): string {
  return stray.test(text) ? text.replaceAll(strays, "") : text;
}

/** The snippet without marks, and the position of the first hit in it. */
export function marked(snippet: string): { snippet: string; start: number; end: number } {
  const line = joined(snippet).replace(/\s+/g, " ").trim();
  const start = Math.max(0, line.indexOf(open!));
  const end = Math.max(start, line.indexOf(close!) - 1);
  return shortened(line.replace(strays, ""), start, end);
}

/** A word may be as long as a text, so the shown part begins a little before the hit. */
function shortened(
  line: string,
  start: number,
  end: number,
): { snippet: string; start: number; end: number } {
  const most = limits.search.snippetCharsMax;
  if (line.length <= most) return { snippet: line, start, end };
  const from = Math.max(0, Math.min(start - Math.floor(most / 4), line.length - most));
  const shown = line.slice(from, from + most).toWellFormed();
  return { snippet: shown, start: start - from, end: Math.min(end - from, most) };
}
