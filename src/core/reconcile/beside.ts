import type { Clock } from "../../base/clock.ts";

/** Runs work for many keys. Waits at most `waitMs` for each; longer work goes on in the background. */
export function beside<Key>(clock: Clock, waitMs: number) {
  const underWay = new Set<Key>();

  /**
   * Returns the result of `work`; false when it takes longer, or when earlier work of this key still runs. The work of
   * one key never overlaps.
   */
  return async (key: Key, work: () => Promise<boolean>): Promise<boolean> => {
    if (underWay.has(key)) return false;
    underWay.add(key);
    const done = work().finally(() => underWay.delete(key));
    const { promise: late, resolve: expire } = Promise.withResolvers<false>();
    const cancel = clock.after(waitMs, () => expire(false));
    try {
      return await Promise.race([done, late]);
    } finally {
      cancel();
    }
  };
}
