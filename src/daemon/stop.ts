/** The reasons to stop the daemon: a signal, an op, or the end of its terminal. A bug is never one. */
import type { Log } from "../base/log.ts";
import { onSignals } from "../base/signals.ts";

export interface StopSwitch {
  request(why: string): void;
  /** Resolves at the first request, with its reason. */
  requested: Promise<string>;
  /** Resolves at a signal after the first request: the user does not want to wait for a graceful stop. */
  forced: Promise<false>;
  dispose(): void;
}

export function stopSwitch(foreground: boolean, log: Log): StopSwitch {
  const requested = Promise.withResolvers<string>();
  const forced = Promise.withResolvers<false>();
  let isRequested = false;
  const request = (why: string) => {
    isRequested = true;
    requested.resolve(why);
  };
  const offSignals = onSignals(["SIGTERM", "SIGINT"], (name) =>
    isRequested ? forced.resolve(false) : request(name),
  );
  // A detached daemon survives the terminal that started it. A daemon in the foreground ends with its terminal.
  const offHangup = onSignals(["SIGHUP"], (name) =>
    foreground ? request(name) : log.info("SIGHUP is ignored"),
  );
  return {
    request,
    requested: requested.promise,
    forced: forced.promise,
    dispose() {
      offSignals();
      offHangup();
    },
  };
}
