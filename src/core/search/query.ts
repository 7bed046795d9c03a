/** Turns typed text into queries for the index and for Codex. Typed text is never read as syntax. */
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { split } from "../../base/unspaced.ts";
import { spellings } from "./spelling.ts";

export interface Query {
  /** For FTS5: every word and phrase in quotes; all of them must occur. */
  match: string;
  /** The words and phrases as the index reads them, each in all its spellings. */
  terms: readonly (readonly string[])[];
  /** For Codex, which searches for a plain substring. */
  literal: string;
}

const terms = /"([^"]*)(?:"|$)|([^\s"]+)/g;
/** The characters of which unicode61 makes words. A term without any would match nothing, or everything. */
const wordish = /[\p{L}\p{N}\p{Co}]/u;

/** Throws `usage` when there is no word to search for. */
export function queryOf(text: string): Query {
  const plain = text.toWellFormed().replace(/[\p{Cc}\p{Cs}]/gu, " ");
  const found = [...plain.matchAll(terms)].map(([, phrase, word]) => (phrase ?? word ?? "").trim());
  const words = found.map((term) => spellings(term).map(split)).filter(([word]) => wordish.test(word!));
  if (words.length === 0)
    fail("usage", `there is no word to search for in "${text.slice(0, limits.thread.previewCharsMax)}"`, {
      hint: "punctuation is not indexed: dispatch search WORD, or an emoji, or a phrase in quotes",
    });
  if (words.length > limits.search.wordsMax)
    fail("usage", `a search takes at most ${limits.search.wordsMax} words, not ${words.length}`, {
      hint: "put a phrase in quotes",
    });
  return { match: words.map(anyOf).join(" AND "), terms: words, literal: found.join(" ").trim() };
}

/** No spelling contains a quote. */
function anyOf(spelt: readonly string[]): string {
  return `(${spelt.map((word) => `"${word}"`).join(" OR ")})`;
}
