/** Quotes a word for bash, whatever it contains: a name that comes from a repository or an agent must never be run. */
import type { Quote } from "./line.ts";

/** `quote` is the quote that is open before the word. Undefined if the word cannot be written inside it. */
export function bashWord(word: string, quote: Quote): string | undefined {
  if (quote === "") return word.replace(/[^\w@%+=:,./\u0080-\u{10ffff}-]/gu, "\\$&");
  if (quote === "'") return word.replaceAll("'", "'\\''");
  // An interactive bash expands `!` inside double quotes, and a backslash that prevents it stays in the word.
  return word.includes("!") ? undefined : word.replace(/[$`"\\]/g, "\\$&");
}
