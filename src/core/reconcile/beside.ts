import type { Clock } from "../../base/clock.ts";

/** Runs work of many keys in turn, and goes on beside what takes longer than `waitMs`. */
export function beside<Key>(clock: Clock, waitMs: number) {
  const underWay = new Set<Key>();

  /** What `work` answers; false where it takes longer, or the work of this key is still under way. Never overlaps. */
  return async (key: Key, work: () => Promise<boolean>): Promise<boolean> => {
    if (underWay.has(key)) return false;
    underWay.add(key);
    const answered = new AbortController();
    const done = work().finally(() => underWay.delete(key));
    const late = clock.sleep(waitMs, answered.signal).then(() => false);
    try {
      return await Promise.race([done, late]);
    } finally {
      answered.abort();
    }
  };
}
