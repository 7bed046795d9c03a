/** Why a daemon stops: a signal, an op, its terminal's end, or a bug that nobody caught. */
import type { Log } from "../base/log.ts";
import { onSignals, onUncaught } from "../base/signals.ts";

export interface StopSwitch {
  ask(why: string): void;
  /** Resolves at the first request, with its reason. */
  asked: Promise<string>;
  /** Resolves when a signal asks once more: who waits at a terminal has had enough. */
  hurried: Promise<false>;
  isBroken(): boolean;
  dispose(): void;
}

export function stopSwitch(foreground: boolean, log: Log): StopSwitch {
  const asked = Promise.withResolvers<string>();
  const hurried = Promise.withResolvers<false>();
  let wasAsked = false;
  let isBroken = false;
  const ask = (why: string) => {
    wasAsked = true;
    asked.resolve(why);
  };
  const offSignals = onSignals(["SIGTERM", "SIGINT"], (name) =>
    wasAsked ? hurried.resolve(false) : ask(name),
  );
  // A detached daemon outlives the terminal it was started from; one in the foreground ends with its own.
  const offHangup = onSignals(["SIGHUP"], (name) => (foreground ? ask(name) : log.info("SIGHUP is ignored")));
  const offUncaught = onUncaught((thrown) => {
    log.error("a bug that nobody caught: stopping, since its state cannot be trusted", { thrown });
    isBroken = true;
    ask("a bug");
  });
  return {
    ask,
    asked: asked.promise,
    hurried: hurried.promise,
    isBroken: () => isBroken,
    dispose() {
      offSignals();
      offHangup();
      offUncaught();
    },
  };
}
