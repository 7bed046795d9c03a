/** The warnings of Codex about one thread, in memory while its process lives: the next process repeats them. */
import { limits } from "../../base/limits.ts";
import { clip } from "../model/clip.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Live } from "../model/live.ts";
import type { ThreadWarning } from "../model/ports/agentevent.ts";

/** A new thread has no row yet, and its warnings may come before the answer: they are kept by its thread id. */
export function noteWarning(
  { store, live }: CoreDeps,
  change: Change,
  { thread_id, server, words }: ThreadWarning,
): void {
  const known = live.warnings.get(thread_id) ?? new Map<string, string>();
  const message = words === null ? null : clip(words, limits.thread.turnErrorCharsMax);
  const key = server === null ? `text ${message}` : `server ${server}`;
  if ((known.get(key) ?? null) === message) return;
  known.delete(key);
  if (message !== null) known.set(key, message);
  if (known.size > limits.thread.warningsMax) known.delete(known.keys().next().value!);
  live.warnings.set(thread_id, known);
  const lane = store.lanes.findByThread(thread_id)?.ref ?? null;
  const warning = message && clip(message, limits.thread.previewCharsMax);
  if (warning === null) change.append({ kind: "thread.unwarned", lane, data: { server, thread_id } });
  else change.append({ kind: "thread.warned", lane, data: { warning, server, thread_id } });
}

export function warningsOf(live: Live, threadId: string | null): string[] {
  return threadId === null ? [] : [...(live.warnings.get(threadId)?.values() ?? [])];
}
