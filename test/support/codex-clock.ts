import type { Clock } from "../../src/base/clock.ts";

/** A clock that stands still until a test moves it. */
export interface HandClock extends Clock {
  /** Moves time, firing what falls due in order, each with everything that follows from it at once. */
  advance(ms: number): Promise<void>;
  /** How many timers wait. */
  pending(): number;
  /** Time passes unseen, as while a laptop sleeps: what was due fires late. */
  jump(ms: number): void;
  /** Somebody sets the wall clock forward, or back; no time passes. */
  set(ms: number): void;
}

interface Timer {
  at: number;
  fire(): void;
}

export function handClock(start = 1_800_000_000_000): HandClock {
  let now = start;
  let timers: Timer[] = [];
  let setBy = 0;

  const after = (ms: number, fire: () => void) => {
    const timer = { at: now + ms, fire };
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  };

  return {
    // As a real one: whole ms, though a timer may be due between two.
    now: () => Math.floor(now) + setBy,
    monotonic: () => now - start,
    after,
    sleep(ms, signal) {
      return new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const cancel = after(ms, resolve);
        signal?.addEventListener(
          "abort",
          () => {
            cancel();
            resolve();
          },
          { once: true },
        );
      });
    },
    async advance(ms) {
      const until = now + ms;
      for (;;) {
        const [due] = timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at);
        if (due === undefined) break;
        timers = timers.filter((timer) => timer !== due);
        now = Math.max(now, due.at);
        due.fire();
        await settled();
      }
      now = until;
      await settled();
    },
    pending: () => timers.length,
    jump(ms) {
      now += ms;
    },
    set(ms) {
      setBy += ms;
    },
  };
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
