/** A word as bash reads it back, whatever is in it: what a repository or an agent called something is never run. */
import type { Quote } from "./line.ts";

/** `quote` is open in front of it. Undefined for what cannot be written there. */
export function bashWord(word: string, quote: Quote): string | undefined {
  if (quote === "") return word.replace(/[^\w@%+=:,./\u0080-\u{10ffff}-]/gu, "\\$&");
  if (quote === "'") return word.replaceAll("'", "'\\''");
  // An interactive bash expands history inside double quotes too, and a backslash that prevents it stays in the word.
  return word.includes("!") ? undefined : word.replace(/[$`"\\]/g, "\\$&");
}
