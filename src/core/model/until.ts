/** Waiting for something to be so, on the event log and within a time. */
import type { CoreDeps } from "./deps.ts";

/** Looks at once, and whenever the log has grown. False when it did not come true in time, or `signal` aborted. */
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
