/**
 * Ranks texts by BM25: how often the words occur, relative to the length of the text. FTS5's own bm25 first counts
 * every hit of every word in the whole index (measured: 20 to 120 ms in a history of 1 GB).
 */

/** The usual values of BM25: how soon further hits of a word stop counting, and how much less a long text counts. */
const [saturation, lengthWeight] = [1.2, 0.75];

const wordish = /[\p{L}\p{N}\p{Co}]/u;
const wordsIn = /[\p{L}\p{N}\p{Co}]+/gu;

/**
 * All ids, the best first, and of equal ones the later first. Terms, in all their spellings, and texts are as the index
 * reads them.
 */
export function ranked(
  terms: readonly (readonly string[])[],
  texts: readonly { id: number; text: string }[],
): number[] {
  const phrases = terms.map((spelt) =>
    spelt.flatMap((term) => {
      const words = folded(term).match(wordsIn);
      return words ? [words] : [];
    }),
  );
  const meanLength = texts.reduce((sum, { text }) => sum + text.length, 0) / texts.length;
  const scored = texts.map(({ id, text }) => {
    const plain = folded(text);
    const damping = saturation * (1 - lengthWeight + (lengthWeight * text.length) / meanLength);
    // All texts contain all words, so every word has the same weight.
    const scores = phrases.map((spelt) => {
      const times = spelt.reduce((sum, words) => sum + timesIn(plain, words), 0);
      return times / (times + damping);
    });
    return { id, score: scores.reduce((sum, score) => sum + score, 0) };
  });
  return scored.sort((a, b) => b.score - a.score || b.id - a.id).map(({ id }) => id);
}

/** Most texts are ASCII, and are searched ten times as fast. */
const ascii = /^[\0-\x7f]*$/;
/** Latin, Greek, Cyrillic and the blocks beside them; and combining marks. */
const mayHaveAccents = /[\u00c0-\u0dff\u1e00-\u1fff]/;
/** Except the marks of kana, which the index does not treat as accents. */
const accents = /[\p{M}--[\u3099\u309a]]/gv;

/** As the index reads it: without case and accents. */
function folded(text: string): string {
  const lower = text.toLowerCase();
  if (ascii.test(lower) || !mayHaveAccents.test(lower)) return lower;
  return lower.normalize("NFD").replace(accents, "").normalize("NFC");
}

function timesIn(text: string, [first = "", ...others]: readonly string[]): number {
  let times = 0;
  for (let at = text.indexOf(first); at >= 0; at = text.indexOf(first, at + first.length))
    if (!isWordAt(text, at - 1) && follow(text, at + first.length, others)) times++;
  return times;
}

/** A word ends at `at`, and `words` follow, with anything between them that is no word. */
function follow(text: string, at: number, words: readonly string[]): boolean {
  if (isWordAt(text, at)) return false;
  const [next, ...others] = words;
  if (next === undefined) return true;
  let from = at;
  while (from < text.length && !isWordAt(text, from)) from++;
  return text.startsWith(next, from) && follow(text, from + next.length, others);
}

/** Half of a surrogate pair is no word: beyond the BMP, emoji are more frequent than words. */
function isWordAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 128) return (code >= 97 && code <= 122) || (code >= 48 && code <= 57);
  return code >= 0xd800 && code <= 0xdfff ? false : wordish.test(text.charAt(at));
}
