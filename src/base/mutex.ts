/** One at a time for each key, first come first served. */
export interface KeyedMutex {
  /** Runs `fn` when everything that asked for this key before it has ended, well or badly. */
  run<T>(key: string, fn: () => Promise<T> | T): Promise<T>;
  /** The same for one key, to hand to a part that has no business with the others. */
  lockFor(key: string): <T>(fn: () => Promise<T> | T) => Promise<T>;
  isHeld(key: string): boolean;
}

export function keyedMutex(): KeyedMutex {
  /** The end of the last one in line; a key with nobody in line has no entry, so memory follows use. */
  const tails = new Map<string, Promise<void>>();

  async function run<T>(key: string, fn: () => Promise<T> | T): Promise<T> {
    const before = tails.get(key);
    const turn = Promise.withResolvers<void>();
    tails.set(key, turn.promise);
    try {
      await before;
      return await fn();
    } finally {
      if (tails.get(key) === turn.promise) tails.delete(key);
      turn.resolve();
    }
  }

  return {
    run,
    lockFor: (key) => (fn) => run(key, fn),
    isHeld: (key) => tails.has(key),
  };
}
