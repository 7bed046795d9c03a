/** When a clock trigger is due. Pure: the wall clock is a parameter, so that a test can walk a year in a moment. */
import { Cron } from "croner";
import { limits } from "../../base/limits.ts";
import type { Guards, When } from "../model/ports/automation.ts";

/** The first moment after `after`, epoch ms; null: none. `anchor`: when an interval began to count. */
export function nextSlot(when: When, after: number, anchor: number): number | null {
  switch (when.kind) {
    case "interval": {
      const period = when.seconds * 1000;
      return anchor + (Math.floor((after - anchor) / period) + 1) * period;
    }
    case "cron":
      return cronOf(when).nextRun(new Date(after))?.getTime() ?? null;
    case "at":
      return when.time > after ? when.time : null;
    default:
      return null;
  }
}

/** Throws a TypeError for an expression or a zone that croner does not know. */
export function cronOf({ cron, tz }: { cron: string; tz: string }): Cron {
  return new Cron(cron, { timezone: tz, paused: true });
}

export function isClock(when: When): boolean {
  return when.kind === "interval" || when.kind === "cron" || when.kind === "at";
}

export interface Due {
  /** The moments that fire now, in order. */
  fire: number[];
  /** Moments that passed unseen, of which none fires; `limits.automation.slotsMax` where there are more. */
  missed: number;
  /** The next moment to look at; null: there is none. */
  next: number | null;
}

/** What a trigger whose moment `slot` has come does at `now`: it may have come long ago. */
export function dueSlots(
  when: When,
  slot: number,
  now: number,
  anchor: number,
  { catch_up, jitter }: Guards,
): Due {
  const passed = [slot];
  let next = nextSlot(when, slot, anchor);
  while (next !== null && next <= now && passed.length < limits.automation.slotsMax) {
    passed.push(next);
    next = nextSlot(when, next, anchor);
  }
  if (next !== null && next <= now) next = nextSlot(when, now, anchor);
  if (catch_up === "all") {
    const fire = passed.slice(-limits.automation.catchUpMax);
    return { fire, missed: passed.length - fire.length, next };
  }
  const isLate = now - passed.at(-1)! > limits.automation.lateMs + jitter;
  const fire = catch_up === "none" && isLate ? [] : passed.slice(-1);
  return { fire, missed: passed.length - fire.length, next };
}
