/** When to start the next child, and when to stop trying for a while. Pure: time and chance are given. */
import { limits } from "../base/limits.ts";

export interface Backoff {
  /** A child ended or did not start. */
  crashed(now: number): Pause;
  /** There is nothing to start. Cheap to look for again, so this never opens the circuit. */
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
    // Half of it is chance, so that daemons of one machine do not start in step.
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
