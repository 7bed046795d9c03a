/** A repeatable event: `next` resolves at the next `fire`. */
export interface Signal {
  next(): Promise<void>;
  fire(): void;
}

export function signal(): Signal {
  let coming = Promise.withResolvers<void>();
  return {
    next: () => coming.promise,
    fire() {
      const past = coming;
      coming = Promise.withResolvers<void>();
      past.resolve();
    },
  };
}
