/** The pause before the next start of a child. Pure: time and randomness are parameters. */
import { limits } from "../base/limits.ts";

export interface Backoff {
  /** A child exited or did not start. `now` is monotonic ms. */
  crashed(now: number): Pause;
  /** There is nothing to start. Looking again is cheap, so this never opens the circuit. */
  absent(): Pause;
  /** Forgets everything: the next failure is the first. */
  reset(): void;
}

export interface Pause {
  ms: number;
  /** Too many crashes in too short a time. */
  circuitOpen: boolean;
}

export function backoff(random: () => number): Backoff {
  let crashes: number[] = [];
  let absences = 0;

  const delay = (failures: number): number => {
    const ms = Math.min(limits.codex.backoffFirstMs * 2 ** (failures - 1), limits.codex.backoffMaxMs);
    // Half of the delay is random, so that several daemons on a machine do not start at the same time.
    return Math.round(ms * (0.5 + random() / 2));
  };

  return {
    crashed(now) {
      absences = 0;
      crashes = [...crashes.filter((at) => now - at < limits.codex.crashesWindowMs), now];
      if (crashes.length < limits.codex.crashesMax) return { ms: delay(crashes.length), circuitOpen: false };
      crashes = [];
      return { ms: limits.codex.circuitOpenMs, circuitOpen: true };
    },
    absent: () => ({ ms: delay(++absences), circuitOpen: false }),
    reset() {
      crashes = [];
      absences = 0;
    },
  };
}
