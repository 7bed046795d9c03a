/** The output of a change to a thread's metadata, managed or not. */
import * as v from "valibot";
import { cell } from "../base/text.ts";
import { threadObject } from "../contract/thread.ts";
import type { Core } from "../core/core.ts";

export const metadataView = v.object({
  ref: v.nullable(v.string()),
  id: v.nullable(v.string()),
  /** null: Codex's thread has no lane here. */
  thread: v.nullable(threadObject),
});

type Place = ReturnType<Core["place"]>;

export function metadataOf(core: Core, place: Place): v.InferOutput<typeof metadataView> {
  if ("threadId" in place) return { ref: null, id: place.threadId, thread: null };
  const thread = core.view(place.ref);
  return { ref: thread.ref, id: thread.id, thread };
}

export function metadataLine(what: string) {
  return ({ ref, id, thread }: v.InferOutput<typeof metadataView>) =>
    thread ? `${what} ${ref} "${cell(thread.title)}"` : `${what} ${cell(id)}`;
}
