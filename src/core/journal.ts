/**
 * The one way core changes the registry: a transaction that appends the events which report it, then wakes whoever
 * follows the log. Effects on the world (a reply to Codex, a delivery) run after the commit, never before.
 */
import type { Clock } from "../base/clock.ts";
import type { EventDraft } from "./event.ts";
import type { Store } from "./ports/store.ts";

export interface Change {
  append(event: EventDraft): void;
  /** Runs once the transaction is on disk; not at all when it failed. */
  after(effect: () => void): void;
  /** One instant for the whole transaction. */
  now: number;
}

export interface Journal {
  /** Throws `storage`, and then nothing of it happened. */
  commit<T>(fn: (change: Change) => T): T;
  /** Resolves when the log has grown past `seq`, or when `signal` aborts. */
  grown(seq: number, signal?: AbortSignal): Promise<void>;
}

export function journal(store: Store, clock: Clock): Journal {
  let wakeAll: (() => void) | undefined;
  let waiting: Promise<void> | undefined;

  function next(): Promise<void> {
    waiting ??= new Promise((resolve) => {
      wakeAll = resolve;
    });
    return waiting;
  }

  return {
    commit(fn) {
      const effects: (() => void)[] = [];
      let appended = 0;
      const result = store.tx(() => {
        const now = clock.now();
        return fn({
          now,
          append(event) {
            store.events.append(event, now);
            appended++;
          },
          after: (effect) => effects.push(effect),
        });
      });
      if (appended > 0 && wakeAll) {
        const wake = wakeAll;
        wakeAll = waiting = undefined;
        wake();
      }
      for (const effect of effects) effect();
      return result;
    },
    async grown(seq, signal) {
      while (store.log.last() <= seq && !signal?.aborted) await untilEither(next(), signal);
    },
  };
}

/** Leaves no listener behind on a signal that outlives the wait. */
function untilEither(woken: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return woken;
  return new Promise((resolve) => {
    const end = () => {
      signal.removeEventListener("abort", end);
      resolve();
    };
    signal.addEventListener("abort", end, { once: true });
    void woken.then(end);
  });
}
