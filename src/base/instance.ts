/** Which daemon holds the lock of a home: what it wrote into the lock file. */
import { isAlive, type ProcessIdentity } from "./identity.ts";

export interface Instance extends ProcessIdentity {
  version: string;
}

/** The identity in the lock file, of the last process that took the lock. Undefined when it cannot be read. */
export function instanceIn(text: string): Instance | undefined {
  try {
    const written = JSON.parse(text) as Partial<Instance> | null;
    if (typeof written?.pid !== "number" || typeof written.version !== "string") return undefined;
    return {
      pid: written.pid,
      start_time: String(written.start_time),
      boot_id: String(written.boot_id),
      version: written.version,
    };
  } catch {
    // The file is empty, or a daemon was killed while it wrote.
    return undefined;
  }
}

/** Kills a daemon that reacts to nothing else. False when it is not there any more. */
export function killInstance(instance: Instance): boolean {
  if (!isAlive(instance)) return false;
  try {
    process.kill(instance.pid, "SIGKILL");
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw thrown;
  }
}
