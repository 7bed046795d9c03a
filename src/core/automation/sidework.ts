/** Works that go on beside the loop of automation: at most one for each automation at a time. */
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";

export interface SideWork {
  count(): number;
  isAtWork(automation: string): boolean;
  isOver(): boolean;
  /** `next` is called when the work has ended, to start what waits behind it. */
  start(automation: string, work: () => Promise<void>, next: () => void): void;
  /** Starts nothing more. Resolves when all have ended, or after the part of a stop that calls get. */
  end(): Promise<void>;
}

/** `failure`: what the log says about a work that threw. */
export function sideWork({ clock, log }: Pick<CoreDeps, "clock" | "log">, failure: string): SideWork {
  const works = new Map<string, Promise<void>>();
  const over = new AbortController();
  return {
    count: () => works.size,
    isAtWork: (automation) => works.has(automation),
    isOver: () => over.signal.aborted,
    start(automation, work, next) {
      const working = work()
        .catch((thrown: unknown) => {
          log.error(failure, { automation, thrown });
          // Its row still waits: without a pause it would be started again at once.
          return clock.sleep(limits.automation.backoffFirstMs, over.signal);
        })
        .finally(() => {
          works.delete(automation);
          next();
        });
      works.set(automation, working);
    },
    async end() {
      over.abort();
      const ended = new AbortController();
      await Promise.race([
        Promise.all(works.values()),
        clock.sleep(limits.daemon.shutdownCallsMs, ended.signal),
      ]);
      ended.abort();
    },
  };
}
