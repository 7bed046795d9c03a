/** The forms of the selectors of a thread. A title must not have the form of another selector. */
import { fail } from "../../base/error.ts";
import { isBlank } from "../../base/text.ts";
import type { Store } from "../model/ports/store.ts";

const refPattern = /^[bcdfghjkmnpqrstvwxyz][0-9bcdfghjkmnpqrstvwxyz]*$/;
const refChars = 6;
const prefixCharsMin = 3;
const threadIdPattern = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

export function isRefForm(word: string): boolean {
  return word.length === refChars && refPattern.test(word);
}

/** The beginning of a ref, long enough to be a selector. */
export function isPrefixForm(word: string): boolean {
  return word.length >= prefixCharsMin && word.length < refChars && refPattern.test(word);
}

export function isThreadIdForm(word: string): boolean {
  return threadIdPattern.test(word);
}

/**
 * Throws `usage` for a title without a visible character, and for one that is also another selector: a caller who types
 * that selector must not reach the thread with this title. `hintOf` returns the command with another title.
 */
export function refuseMisleadingTitle(store: Store, title: string, hintOf: (title: string) => string): void {
  if (isBlank(title)) fail("usage", "nothing of the title can be seen", { hint: hintOf("NAME") });
  const why = misleading(store, title);
  if (why === undefined) return;
  const other = title.startsWith("@") ? title.replace(/^@+/, "") || "thread" : `${title} 2`;
  fail("usage", `a title cannot be "${title}": ${why}`, { hint: hintOf(other) });
}

function misleading(store: Store, title: string): string | undefined {
  if (isRefForm(title)) return "it has the form of a thread's ref";
  if (isThreadIdForm(title)) return "it has the form of a thread's id";
  if (title === "self") return "that word names the thread that calls";
  if (title.startsWith("@")) return "a word with @ in front names a thread by its handle";
  const [match] = isPrefixForm(title) ? store.lanes.findByPrefix(title) : [];
  return match && `the ref ${match.ref} begins with it`;
}
