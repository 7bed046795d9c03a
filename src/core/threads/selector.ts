/** Finds one lane by a selector. A selector that fits two lanes is an error that lists both, never a guess. */
import { isElsewhere, isUnknownAgent } from "../../base/agentid.ts";
import { fail } from "../../base/error.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";
import type { ThreadTarget } from "../model/target.ts";
import { isPrefixForm, isRefForm, isThreadIdForm } from "../state/title.ts";

export type Purpose = "reading" | "writing";

/** A managed thread, or the id of a thread that is not managed. */
export function targetOf(
  store: Store,
  selector: string,
  self: string | null,
  purpose: Purpose = "writing",
): ThreadTarget {
  if (isThreadIdForm(selector) && !store.lanes.findByThread(selector)) return { threadId: selector };
  return { ref: resolve(store, selector, self, purpose).ref };
}

/**
 * `self` is the thread that the caller runs in; null when it runs in none. Fixed selectors come before mutable ones: a
 * ref, an id, `self`, a handle, then a title. So no title makes another thread's ref ambiguous. Throws `not_found`,
 * `usage`.
 */
export function resolve(
  store: Store,
  selector: string,
  self: string | null,
  purpose: Purpose = "writing",
): Lane {
  const exact = exactly(store, selector, self);
  if (exact) return exact;
  const titled = store.lanes.findByTitle(selector);
  const near = titled.length > 0 ? titled : byPrefix(store, selector);
  // A part of a title is a guess: allowed for reading, never for writing.
  const found = near.length > 0 || purpose === "writing" ? near : store.lanes.findByPart(selector);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) ambiguous(selector, found);
  fail("not_found", `no thread matches "${selector}"`, { hint: "dispatch list" });
}

/** By a selector that can fit only one thread. */
function exactly(store: Store, selector: string, self: string | null): Lane | undefined {
  if (isRefForm(selector)) {
    const lane = store.lanes.find(selector as Ref);
    if (lane) return lane;
  }
  const lane = store.lanes.findByThread(selector);
  if (lane) return lane;
  if (selector === "self") return ownLane(store, self);
  return selector.startsWith("@") ? store.lanes.findByHandle(selector.slice(1)) : undefined;
}

function byPrefix(store: Store, selector: string): Lane[] {
  return isPrefixForm(selector) ? store.lanes.findByPrefix(selector) : [];
}

function ownLane(store: Store, self: string | null): Lane {
  if (self === null || isUnknownAgent(self) || isElsewhere(self)) {
    const why = self === null ? "this caller runs in none" : "which one that is, is not known";
    fail("usage", `self is the thread the caller runs in, and ${why}`, { hint: "dispatch list" });
  }
  const lane = store.lanes.findByThread(self);
  if (!lane)
    fail("not_found", `the calling thread ${self} is not managed here`, { hint: `dispatch attach ${self}` });
  return lane;
}

function ambiguous(selector: string, lanes: Lane[]): never {
  const rows = lanes.map(({ ref, title, cwd }) => ({ ref, title, cwd }));
  const listed = rows.map((row) => `${row.ref} "${row.title}" in ${row.cwd}`).join("; ");
  fail("usage", `"${selector}" fits ${rows.length} threads: ${listed}`, {
    hint: `name it apart, as in: dispatch get ${lanes[0]!.ref}`,
    data: { matches: rows },
  });
}
