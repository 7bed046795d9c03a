/** A loop around a `step()`: never two steps at once, `soon()` brings the next one forward, `stop()` waits for the last. */
import type { Clock } from "./clock.ts";

export interface Loop {
  soon(): void;
  stop(): Promise<void>;
}

/** `failed` receives what a step throws. The loop continues. */
export function loop(
  clock: Clock,
  everyMs: number,
  step: () => Promise<void>,
  failed: (thrown: unknown) => void,
): Loop {
  let isStopped = false;
  let running: Promise<void> | undefined;
  let isWanted = false;
  let cancel = clock.after(everyMs, run);

  function run(): void {
    if (isStopped) return;
    if (running) {
      isWanted = true;
      return;
    }
    cancel();
    isWanted = false;
    // A step that throws before its first await is a step that failed as well.
    running = (async () => step())()
      .catch(failed)
      .finally(() => {
        running = undefined;
        if (isStopped) return;
        if (isWanted) run();
        else cancel = clock.after(everyMs, run);
      });
  }

  return {
    soon: run,
    async stop() {
      isStopped = true;
      cancel();
      await running;
    },
  };
}
