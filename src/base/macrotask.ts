/** Resolves when every promise that is ready now has run its continuations, however many deep. */
export function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
