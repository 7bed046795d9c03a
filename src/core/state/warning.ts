/** The warnings of Codex about one thread, in memory. Those that are past are not shown, but their end is an event. */
import { limits } from "../../base/limits.ts";
import { clip } from "../model/clip.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Live } from "../model/live.ts";
import type { ThreadWarning } from "../model/ports/agentevent.ts";

type Known = Map<string, { words: string; isPast: boolean }>;

/** A new thread has no row yet, and its warnings may come before the answer: they are kept by its thread id. */
export function noteWarning(
  { store, live }: CoreDeps,
  change: Change,
  { thread_id, server, words }: ThreadWarning,
): void {
  const known: Known = live.warnings.get(thread_id) ?? new Map();
  const message = words === null ? null : clip(words, limits.thread.turnErrorCharsMax);
  const key = server === null ? `text ${message}` : `server ${server}`;
  const was = known.get(key);
  if (message === null && was === undefined) return;
  known.delete(key);
  if (message !== null) known.set(key, { words: message, isPast: false });
  if (known.size > limits.thread.warningsMax) known.delete(known.keys().next().value!);
  live.warnings.delete(thread_id);
  if (known.size > 0) live.warnings.set(thread_id, known);
  if (live.warnings.size > limits.thread.max) live.warnings.delete(live.warnings.keys().next().value!);
  if (was?.words === message) return;
  const lane = store.lanes.findByThread(thread_id)?.ref ?? null;
  const warning = message && clip(message, limits.thread.previewCharsMax);
  if (warning === null) change.append({ kind: "thread.unwarned", lane, data: { server, thread_id } });
  else change.append({ kind: "thread.warned", lane, data: { warning, server, thread_id } });
}

export function warningsOf(live: Live, threadId: string | null): string[] {
  const known: Known = (threadId === null ? undefined : live.warnings.get(threadId)) ?? new Map();
  return [...known.values()].filter(({ isPast }) => !isPast).map(({ words }) => words);
}
