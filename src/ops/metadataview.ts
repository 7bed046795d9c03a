/** The output of a change to the metadata of a thread, managed or not. */
import * as v from "valibot";
import { cell } from "../base/text.ts";
import { threadObject } from "../contract/thread.ts";
import type { Core } from "../core/core.ts";

export const metadataView = v.object({
  ref: v.nullable(v.string()),
  id: v.nullable(v.string()),
  /** Null when dispatch does not manage the thread. */
  thread: v.nullable(threadObject),
});

type Target = ReturnType<Core["target"]>;

export function metadataOf(core: Core, target: Target): v.InferOutput<typeof metadataView> {
  if ("threadId" in target) return { ref: null, id: target.threadId, thread: null };
  const thread = core.view(target.ref);
  return { ref: thread.ref, id: thread.id, thread };
}

export function leanMetadata({ id, thread }: v.InferOutput<typeof metadataView>): Record<string, unknown> {
  return thread ? { ref: thread.ref, title: thread.title, status: thread.status } : { id };
}

/** The view: the verb, and the thread by ref and title or by its id. */
export function metadataLine(verb: string) {
  return ({ ref, id, thread }: v.InferOutput<typeof metadataView>) =>
    thread ? `${verb} ${ref} "${cell(thread.title)}"` : `${verb} ${cell(id)}`;
}
