/** From what a person typed to what the index and Codex are asked: nothing typed is ever read as syntax. */
import { fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";

export interface Query {
  /** For FTS5: every word and phrase in quotes of its own, all of which must be there. */
  match: string;
  /** The words and phrases themselves. */
  terms: readonly string[];
  /** For Codex, which looks for a plain part of the text. */
  literal: string;
}

const terms = /"([^"]*)(?:"|$)|([^\s"]+)/g;
/** What unicode61 makes a word of; a term without any would match nothing, or everything. */
const wordish = /[\p{L}\p{N}\p{Co}]/u;

/** Throws `usage` where there is nothing to look for. */
export function queryOf(text: string): Query {
  const plain = text.toWellFormed().replace(/[\p{Cc}\p{Cs}]/gu, " ");
  const found = [...plain.matchAll(terms)].map(([, phrase, word]) => (phrase ?? word ?? "").trim());
  const words = found.filter((term) => wordish.test(term));
  if (words.length === 0)
    fail("usage", `there is no word to search for in "${text.slice(0, limits.previewCharsMax)}"`, {
      hint: "give a word, or a phrase in quotes",
    });
  if (words.length > limits.searchWordsMax)
    fail("usage", `a search takes at most ${limits.searchWordsMax} words, not ${words.length}`, {
      hint: "put a phrase in quotes",
    });
  // A term holds no quote: the pattern above ends one at each.
  return { match: words.map((term) => `"${term}"`).join(" "), terms: words, literal: found.join(" ").trim() };
}
