/**
 * Notices a daemon that hangs while a call waits for its answer. Every version of the daemon answers hello at any time,
 * so hello is also the question whether it is there.
 */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";

export interface Liveness {
  /** A call waits. */
  begin(): void;
  /** Bytes have come, or were taken. */
  heard(): void;
  /** No call waits any more. */
  end(): void;
}

export function liveness(options: {
  clock: Clock;
  /** Sends hello. */
  ask(): void;
  /** Nothing is read at the moment, so nothing can be heard. */
  isPaused(): boolean;
  /** Called once. `ms`: nothing has come for as long. */
  silent(ms: number): void;
}): Liveness {
  const { clock, ask, isPaused, silent } = options;
  let cancel: (() => void) | undefined;
  let isHeard = false;
  let quiet = 0;

  // One step at a time: a client that was stopped itself, by Ctrl-Z, then reads first what has come.
  const step = () => {
    quiet = isHeard || isPaused() ? 0 : quiet + 1;
    isHeard = false;
    if (quiet > limits.client.quietTimesMax) {
      cancel = undefined;
      return silent(limits.client.quietMs * (limits.client.quietTimesMax + 1));
    }
    if (quiet > 0) ask();
    cancel = clock.after(limits.client.quietMs, step);
  };

  return {
    begin() {
      if (cancel) return;
      quiet = 0;
      isHeard = false;
      cancel = clock.after(limits.client.quietMs, step);
    },
    heard() {
      isHeard = true;
    },
    end() {
      cancel?.();
      cancel = undefined;
    },
  };
}
