/** One daemon per registry: the holder of the lock file beside it is the daemon. A pid alone never decides. */
import type { Clock } from "../base/clock.ts";
import { look } from "../base/directory.ts";
import { fail } from "../base/error.ts";
import { type Lock, openLock } from "../base/flock.ts";
import { identityOf } from "../base/identity.ts";
import type { Instance } from "../base/instance.ts";
import { limits } from "../base/limits.ts";
import type { Paths } from "../base/paths.ts";
import { version } from "../base/version.ts";

/**
 * Takes the instance lock, for a daemon or for a command. Undefined when another process has it. A stopping daemon has removed its socket and frees the
 * lock soon: then this waits for the lock, so that a command right after a stop finds a daemon.
 */
export async function takeInstance(
  paths: Paths,
  clock: Clock,
  command: string | null = null,
): Promise<Lock | undefined> {
  const until = clock.monotonic() + limits.daemon.shutdownGraceMs;
  for (let tries = 1; ; tries++) {
    const lock = openLock(paths.lock);
    if (lock) {
      lock.write(`${JSON.stringify(self(paths, command))}\n`);
      return lock;
    }
    const isServed = look(paths.socket)?.isSocket() ?? false;
    if ((isServed && tries >= limits.process.lockTries) || clock.monotonic() > until) return undefined;
    await clock.sleep(limits.process.lockRetryMs);
  }
}

function self({ socket }: Paths, command: string | null): Instance {
  const { pid, start_time, boot_id } =
    identityOf(process.pid) ?? fail("internal", "the system does not know this process");
  return { pid, start_time, boot_id, version, command, socket };
}
