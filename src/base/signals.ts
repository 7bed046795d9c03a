/** What the system tells a long-lived process. The returned functions give the default back. */
type Signal = "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGTSTP" | "SIGCONT";

export function onSignals(names: readonly Signal[], fn: (name: Signal) => void): () => void {
  const handlers = names.map((name) => [name, () => fn(name)] as const);
  for (const [name, handler] of handlers) process.on(name, handler);
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
}

/** Stops this process, as Ctrl-Z does, until its shell continues it. */
export function suspend(): void {
  process.kill(process.pid, "SIGSTOP");
}

/** What nobody caught: thrown in a callback, or a promise that rejected with nobody waiting. */
export function onUncaught(fn: (thrown: unknown) => void): () => void {
  process.on("uncaughtException", fn);
  process.on("unhandledRejection", fn);
  return () => {
    process.off("uncaughtException", fn);
    process.off("unhandledRejection", fn);
  };
}
