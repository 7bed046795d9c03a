/** One daemon a registry: who holds the lock beside it is the daemon. A pid alone never decides. */
import type { Clock } from "../base/clock.ts";
import { look } from "../base/directory.ts";
import { fail } from "../base/error.ts";
import { type Lock, openLock } from "../base/flock.ts";
import { identityOf, type ProcessIdentity } from "../base/identity.ts";
import { limits } from "../base/limits.ts";
import type { Paths } from "../base/paths.ts";
import { version } from "../base/version.ts";

export interface Instance extends ProcessIdentity {
  version: string;
}

/**
 * Undefined when another daemon has it. One that is on its way out has taken its socket away and frees the lock
 * soon: then this one waits for its place, so that a command right after a stop finds a daemon.
 */
export async function takeInstance(paths: Paths, clock: Clock): Promise<Lock | undefined> {
  const until = clock.monotonic() + limits.daemon.shutdownGraceMs;
  for (let tries = 1; ; tries++) {
    const lock = openLock(paths.lock);
    if (lock) {
      lock.write(`${JSON.stringify(self())}\n`);
      return lock;
    }
    const isServed = look(paths.socket)?.isSocket() ?? false;
    if ((isServed && tries >= limits.process.lockTries) || clock.monotonic() > until) return undefined;
    await clock.sleep(limits.process.lockRetryMs);
  }
}

/** What the lock file says of who wrote it last; undefined when it says nothing that can be read. */
export function instanceIn(text: string): Instance | undefined {
  try {
    const said = JSON.parse(text) as Partial<Instance> | null;
    if (typeof said?.pid !== "number" || typeof said.version !== "string") return undefined;
    return {
      pid: said.pid,
      start_time: String(said.start_time),
      boot_id: String(said.boot_id),
      version: said.version,
    };
  } catch {
    // Empty, or half written by a daemon that was killed: it names nobody.
    return undefined;
  }
}

function self(): Instance {
  const { pid, start_time, boot_id } =
    identityOf(process.pid) ?? fail("internal", "the system does not know this very process");
  return { pid, start_time, boot_id, version };
}
