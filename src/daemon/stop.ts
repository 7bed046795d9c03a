/** Why a daemon stops: a signal, an op, or the end of its terminal. Never a bug. */
import type { Log } from "../base/log.ts";
import { onSignals } from "../base/signals.ts";

export interface StopSwitch {
  ask(why: string): void;
  /** Resolves at the first request, with its reason. */
  asked: Promise<string>;
  /** Resolves when a signal asks once more: who waits at a terminal has had enough. */
  hurried: Promise<false>;
  dispose(): void;
}

export function stopSwitch(foreground: boolean, log: Log): StopSwitch {
  const asked = Promise.withResolvers<string>();
  const hurried = Promise.withResolvers<false>();
  let wasAsked = false;
  const ask = (why: string) => {
    wasAsked = true;
    asked.resolve(why);
  };
  const offSignals = onSignals(["SIGTERM", "SIGINT"], (name) =>
    wasAsked ? hurried.resolve(false) : ask(name),
  );
  // A detached daemon outlives the terminal it was started from; one in the foreground ends with its own.
  const offHangup = onSignals(["SIGHUP"], (name) => (foreground ? ask(name) : log.info("SIGHUP is ignored")));
  return {
    ask,
    asked: asked.promise,
    hurried: hurried.promise,
    dispose() {
      offSignals();
      offHangup();
    },
  };
}
