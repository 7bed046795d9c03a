/**
 * Text as the full-text index reads it. SQLite's tokenizer makes one word of everything between blanks, which is a
 * whole clause of Chinese, and no word at all of an emoji or a Thai vowel. Each such character becomes a word of its
 * own here, so that any part of a text is a phrase. `joined` gives the text back.
 */

// Hangul has spaces, but endings are written to the word and compounds without one.
const scripts =
  "[\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Bopo}\\p{scx=Hang}\\p{scx=Thai}\\p{scx=Laoo}\\p{scx=Khmr}\\p{scx=Mymr}]";
const emoji = "[\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\p{Regional_Indicator}]";
const unspaced = `[[${scripts}&&[\\p{L}\\p{N}\\p{M}]]${emoji}]`;
const inWord = `[\\p{L}\\p{N}\\p{Co}[\\p{M}--\\p{Variation_Selector}]${unspaced}]`;

const isUnspaced = new RegExp(unspaced, "v");
const borders = new RegExp(`${unspaced}(?=${inWord})|[${inWord}--${unspaced}](?=${unspaced})`, "gv");
/** What the tokenizer takes for a separator; but for two marks beyond the places below. */
const wordless = new RegExp(`[${unspaced}--[\\p{L}\\p{N}\\u{16ff0}\\u{16ff1}]]`, "gv");

/** Most text is this, and the wide classes above cost far more to search for. */
const plain = /^[^\x1f\x80-\uffff]*$/;

// A separator to the tokenizer, of one byte.
const border = "\x1f";
// Private use is a word to it. These places are clear of the icons that fonts for terminals have there.
const [planeZero, planeOne] = [0xf4000, 0xe0000];
const hidden = /[\u{f4000}-\u{fffff}]/gu;
const own = /[\x1f\u{f4000}-\u{fffff}]/gu;

/** In composed form. A text that holds characters which only this gives a meaning loses them. */
export function split(text: string): string {
  if (plain.test(text)) return text;
  const clean = text.replace(own, "");
  if (!isUnspaced.test(clean)) return clean;
  return clean.normalize("NFC").replace(borders, `$&${border}`).replace(wordless, hide);
}

export function joined(text: string): string {
  return plain.test(text) ? text : text.replaceAll(border, "").replace(hidden, show);
}

function hide(found: string): string {
  const code = found.codePointAt(0)!;
  return String.fromCodePoint(code + (code > 0xffff ? planeOne : planeZero));
}

function show(found: string): string {
  const code = found.codePointAt(0)!;
  return String.fromCodePoint(code - (code >= planeOne + 0x1f000 ? planeOne : planeZero));
}
