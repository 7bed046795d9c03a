/** `@docs`: the short form of a title, unique among the threads that are not archived. */
import { limits } from "../../base/limits.ts";
import type { Store } from "../model/ports/store.ts";

/** `[a-z0-9._-]{1,40}`; "" when the title has none of these characters. */
export function slug(title: string): string {
  return title
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9._]+/g, "-")
    .slice(0, limits.input.handleCharsMax)
    .replace(/^[-.]+|[-.]+$/g, "");
}

/** This handle, or the first of `docs-2`, `docs-3`, ... that is free. */
export function freeHandle(store: Store, handle: string): string {
  let free = handle;
  for (let n = 2; isTaken(store, free); n++)
    free = `${handle.slice(0, limits.input.handleCharsMax - 6)}-${n}`;
  return free;
}

export function isTaken(store: Store, handle: string): boolean {
  const holder = store.lanes.findByHandle(handle);
  return holder !== undefined && holder.archived_at === null;
}

/** The handle that a thread with this title gets now; null when the title gives none. */
export function handleFor(store: Store, title: string): string | null {
  const handle = slug(title);
  return handle === "" ? null : freeHandle(store, handle);
}
