/** From a word to one lane. A word that fits two is an error that lists both, never a guess. */
import { unknownAgent } from "../base/agentid.ts";
import { fail } from "../base/error.ts";
import type { Lane } from "./ports/rows.ts";
import type { Store } from "./ports/store.ts";
import type { Place } from "./shelve.ts";

export type How = "reading" | "writing";

const prefixCharsMin = 3;
const threadIdPattern = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** A managed thread, or the id of one that is not. */
export function placeOf(store: Store, selector: string, self: string | null, how: How = "writing"): Place {
  if (threadIdPattern.test(selector) && !store.lanes.findByThread(selector)) return { threadId: selector };
  return { ref: resolve(store, selector, self, how).ref };
}

const refPattern = /^[bcdfghjkmnpqrstvwxyz][0-9bcdfghjkmnpqrstvwxyz]*$/;

/** `self` is the thread the caller runs in; null when it runs in none. Throws `not_found`, `usage`. */
export function resolve(store: Store, selector: string, self: string | null, how: How = "writing"): Lane {
  const exact = selector === "self" ? ownLane(store, self) : distinct(exactly(store, selector));
  const near = exact.length > 0 ? exact : byPrefix(store, selector);
  // A part of a title is a guess: good enough to look, never to write.
  const found = near.length > 0 || how === "writing" ? near : store.lanes.findByPart(selector);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) ambiguous(selector, found);
  fail("not_found", `no thread matches "${selector}"`, { hint: "dispatch list" });
}

function exactly(store: Store, selector: string): Lane[] {
  const found = [store.lanes.findByThread(selector)];
  if (refPattern.test(selector))
    found.push(store.lanes.findByPrefix(selector).find((lane) => lane.ref === selector));
  if (selector.startsWith("@")) found.push(store.lanes.findByHandle(selector.slice(1)));
  return [...found.filter((lane) => lane !== undefined), ...store.lanes.findByTitle(selector)];
}

function byPrefix(store: Store, selector: string): Lane[] {
  return selector.length >= prefixCharsMin && refPattern.test(selector)
    ? store.lanes.findByPrefix(selector)
    : [];
}

function ownLane(store: Store, self: string | null): Lane[] {
  if (self === null || self === unknownAgent) {
    const why = self === null ? "this caller runs in none" : "which one that is, is not known";
    fail("usage", `self is the thread the caller runs in, and ${why}`, { hint: "dispatch list" });
  }
  const lane = store.lanes.findByThread(self);
  if (!lane)
    fail("not_found", `the calling thread ${self} is not managed here`, { hint: `dispatch attach ${self}` });
  return [lane];
}

function distinct(lanes: Lane[]): Lane[] {
  return [...new Map(lanes.map((lane) => [lane.ref, lane])).values()];
}

function ambiguous(selector: string, lanes: Lane[]): never {
  const rows = lanes.map(({ ref, title, cwd }) => ({ ref, title, cwd }));
  const listed = rows.map((row) => `${row.ref} "${row.title}" in ${row.cwd}`).join("; ");
  fail("usage", `"${selector}" fits ${rows.length} threads: ${listed}`, {
    hint: `name it apart, as in: dispatch get ${apartFrom(selector, lanes[0]!)}`,
    data: { matches: rows },
  });
}

/** A title may be another thread's ref: then that ref names neither. */
function apartFrom(selector: string, { ref, thread_id, handle }: Lane): string {
  if (ref !== selector) return ref;
  return thread_id ?? (handle === null ? ref : `@${handle}`);
}
