/** Waits until something holds, by reading the event log, with a time limit. */
import type { CoreDeps } from "./deps.ts";

/** Checks at once, and whenever the log has grown. Returns false when the time is over or `signal` aborts. */
export async function until(
  { store, journal, clock }: CoreDeps,
  timeoutMs: number,
  holds: () => boolean,
  signal?: AbortSignal,
): Promise<boolean> {
  if (holds()) return true;
  const over = new AbortController();
  const cancel = clock.after(timeoutMs, () => over.abort());
  const either = signal ? AbortSignal.any([over.signal, signal]) : over.signal;
  try {
    for (;;) {
      const seq = store.log.last();
      if (holds()) return true;
      if (either.aborted) return false;
      await journal.grown(seq, either);
    }
  } finally {
    cancel();
  }
}
