/**
 * Unexpected failures. Each becomes a log line with an id, and stays in a short list that `daemon status` shows as
 * degraded. Every error line of the log counts, so no author of a boundary can forget to report it.
 */
import type { Clock } from "./clock.ts";
import { DispatchError, errorMessage } from "./error.ts";
import { limits } from "./limits.ts";
import type { Log } from "./log.ts";

export interface Fault {
  /** The id of its newest occurrence, under which the log has the details. */
  id: string;
  what: string;
  /** The message of what was thrown, or null. */
  why: string | null;
  times: number;
  /** Wall clock, ms: the newest occurrence. */
  at: number;
}

export interface FaultLog extends Log {
  /** Newest first, none older than `limits.daemon.faultShownMs`. */
  faults(): Fault[];
  /** Unique in the log, and short enough to be read out. */
  faultId(): string;
}

/** An error line gets an id unless its fields have one. A registry that refuses a write is shown elsewhere. */
export function faultLog(log: Log, clock: Clock): FaultLog {
  /** With the monotonic time of the newest occurrence. */
  const kept = new Map<string, { fault: Fault; since: number }>();
  let count = 0;
  const faultId = () => `bug-${clock.now().toString(36)}-${++count}`;

  return {
    debug: log.debug,
    info: log.info,
    warn: log.warn,
    error(what, fields = {}) {
      const id = typeof fields["id"] === "string" ? fields["id"] : faultId();
      log.error(what, { id, ...fields });
      const thrown = fields["thrown"];
      if (thrown instanceof DispatchError && thrown.code === "storage") return;
      const why = thrown === undefined ? null : errorMessage(thrown).slice(0, limits.daemon.faultCharsMax);
      const key = `${what}\n${why}`;
      const times = (kept.get(key)?.fault.times ?? 0) + 1;
      // Taken out first, so that the map is in the order of the newest occurrence.
      kept.delete(key);
      const fault = { id, what, why, times, at: clock.now() };
      kept.set(key, { fault, since: clock.monotonic() });
      if (kept.size > limits.daemon.faultsKeptMax) kept.delete(kept.keys().next().value!);
    },
    faults() {
      const from = clock.monotonic() - limits.daemon.faultShownMs;
      const shown = [...kept.values()].filter(({ since }) => since >= from);
      return shown.map(({ fault }) => fault).reverse();
    },
    faultId,
  };
}

/** A clock whose callbacks cannot end the process: an error in one is logged. */
export function guardedClock(clock: Clock, log: Log): Clock {
  return {
    ...clock,
    after: (ms, fn) =>
      clock.after(ms, () => {
        try {
          fn();
        } catch (thrown) {
          log.error("a timer failed", { thrown });
        }
      }),
  };
}
