/** Takes what the stream gives, in its order, and each of it whole. */
import { DispatchError, errorMessage, isStorage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Arriving } from "../model/ports/relay.ts";

interface Taking {
  take(change: Change, one: Arriving): void;
  /** For what `take` can never take. Throws `storage`. */
  refuse(one: Arriving, thrown: unknown): void;
}

/**
 * How many of the first ones are taken or refused. They share a commit, unless one of them stands against it: then each
 * has its own, which shows which one, and why.
 */
export function takeInOrder(deps: CoreDeps, arriving: readonly Arriving[], { take, refuse }: Taking): number {
  const { journal, log } = deps;
  try {
    journal.commit((change) => {
      for (const one of arriving) take(change, one);
    });
    return arriving.length;
  } catch (thrown) {
    log.debug("messages of the relay are taken one by one", { reason: errorMessage(thrown) });
  }
  for (const [at, one] of arriving.entries())
    try {
      try {
        journal.commit((change) => take(change, one));
      } catch (thrown) {
        refuseFinal(one, thrown, refuse);
      }
    } catch (thrown) {
      log.warn("a message of another machine waits", { box: one.origin, reason: errorMessage(thrown) });
      return at;
    }
  return arriving.length;
}

/** Throws what may pass: a full disk, and at first a bug. */
export function refuseFinal(one: Arriving, thrown: unknown, refuse: Taking["refuse"]): void {
  if (isStorage(thrown) || (isBug(thrown) && one.tries < limits.relay.triesMax)) throw thrown;
  refuse(one, thrown);
}

export function isBug(thrown: unknown): boolean {
  return !(thrown instanceof DispatchError) || thrown.code === "internal";
}
