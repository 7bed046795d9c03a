import type { Clock } from "./clock.ts";

/** Lets the first one through at once, and each other one no sooner than `apartMs` after the one before it. */
export function pace(clock: Clock, apartMs: number): (signal: AbortSignal) => Promise<void> {
  let before = Number.NEGATIVE_INFINITY;
  return async (signal) => {
    const rest = before + apartMs - clock.monotonic();
    if (rest > 0) await clock.sleep(rest, signal);
    before = clock.monotonic();
  };
}
