/** One typed text with a cursor. Pure. */
import { limits } from "../../base/limits.ts";
import { block } from "../../base/text.ts";
import type { Key } from "./keys.ts";

export interface Editor {
  text: string;
  /** UTF-16 units before the cursor, always between two visible characters. */
  at: number;
}

export const emptyEditor: Editor = { text: "", at: 0 };

export const editorWith = (text: string): Editor => ({ text, at: text.length });

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The text after the key; the same editor when the key means nothing to it. "full": the text would be over its limit. */
export function edited(editor: Editor, { name, text }: Key): Editor | "full" {
  const { text: all, at } = editor;
  const [before, after] = [all.slice(0, at), all.slice(at)];
  if (text !== undefined) {
    const whole = before + text + after;
    return Buffer.byteLength(whole) > limits.top.editorBytesMax
      ? "full"
      : { text: whole, at: at + text.length };
  }
  switch (name) {
    case "left":
    case "ctrl-b":
      return { text: all, at: at - lastOf(before).length };
    case "right":
    case "ctrl-f":
      return { text: all, at: at + firstOf(after).length };
    case "home":
    case "ctrl-a":
      return { text: all, at: 0 };
    case "end":
    case "ctrl-e":
      return { text: all, at: all.length };
    case "backspace": {
      const kept = before.slice(0, before.length - lastOf(before).length);
      return { text: kept + after, at: kept.length };
    }
    case "delete":
      return { text: before + after.slice(firstOf(after).length), at };
    case "ctrl-u":
      return { text: after, at: 0 };
    case "ctrl-k":
      return { text: before, at };
    case "ctrl-w": {
      const kept = before.replace(/\S*\s*$/u, "");
      return { text: kept + after, at: kept.length };
    }
    default:
      return editor;
  }
}

function firstOf(text: string): string {
  for (const { segment } of graphemes.segment(text)) return segment;
  return "";
}

/** The end of the text is enough to find its last visible character. */
function lastOf(text: string): string {
  let last = "";
  for (const { segment } of graphemes.segment(text.slice(-64).toWellFormed())) last = segment;
  return text.endsWith(last) ? last : text.slice(-1);
}

/** The part of the text that fits `width` columns around the cursor, and the cursor's column in it. */
export function windowOf({ text, at }: Editor, width: number, isSecret = false) {
  const drawn = (part: string) =>
    [...graphemes.segment(part.toWellFormed())].map(({ segment }) =>
      isSecret ? "*" : segment === "\n" ? "↵" : block(segment),
    );
  // A visible character has some units at most, and each takes a column or more.
  const units = width * 16;
  const [left, right] = [drawn(text.slice(Math.max(0, at - units), at)), drawn(text.slice(at, at + units))];
  const shown: string[] = [];
  let room = width - 1;
  let cursor = 0;
  for (const grapheme of left.toReversed()) {
    const columns = Bun.stringWidth(grapheme);
    if (columns > room) break;
    room -= columns;
    cursor += columns;
    shown.unshift(grapheme);
  }
  for (const grapheme of right) {
    const columns = Bun.stringWidth(grapheme);
    if (columns > room) break;
    room -= columns;
    shown.push(grapheme);
  }
  return { shown: shown.join(""), cursor };
}
