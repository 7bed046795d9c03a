/** The back-off of lanes whose last attempt was refused: how often, and when the next attempt may be. */
import type { Clock } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import type { Ref } from "../model/ports/rows.ts";

export interface Backoffs {
  isWaiting(ref: Ref): boolean;
  /** One more refusal: each time the next attempt waits longer. */
  add(ref: Ref): void;
  delete(ref: Ref): void;
  /** The cause of the refusal is over: the lane is tried now. */
  end(ref: Ref): void;
  clear(): void;
  refs(): Ref[];
}

export function backoffs(clock: Pick<Clock, "monotonic" | "after">, again: (ref: Ref) => void): Backoffs {
  const refused = new Map<Ref, { tries: number; until: number }>();
  return {
    isWaiting: (ref) => (refused.get(ref)?.until ?? 0) > clock.monotonic(),
    add(ref) {
      const tries = (refused.get(ref)?.tries ?? 0) + 1;
      const ms = Math.min(limits.codex.backoffFirstMs * 2 ** (tries - 1), limits.codex.backoffMaxMs);
      refused.set(ref, { tries, until: clock.monotonic() + ms });
      // A timer may fire a little before `until` by the monotonic clock.
      clock.after(ms + limits.timer.slackMs, () => again(ref));
    },
    delete: (ref) => void refused.delete(ref),
    end(ref) {
      refused.delete(ref);
      again(ref);
    },
    clear: () => refused.clear(),
    refs: () => [...refused.keys()],
  };
}
