/** Who holds the lock of a home: what it wrote into the lock file. */
import { fail } from "./error.ts";
import { isAlive, type ProcessIdentity } from "./identity.ts";

export interface Instance extends ProcessIdentity {
  version: string;
  /** The command that works on the registry while no daemon runs. Null: it is a daemon. */
  command: string | null;
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
      command: typeof written.command === "string" ? written.command : null,
    };
  } catch {
    // The file is empty, or a daemon was killed while it wrote.
    return undefined;
  }
}

/** Kills a daemon that reacts to nothing else. False when it is not there any more. Throws `denied`. */
export function killInstance(instance: Instance): boolean {
  if (!isAlive(instance)) return false;
  try {
    process.kill(instance.pid, "SIGKILL");
    return true;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === "ESRCH") return false;
    return fail("denied", `the daemon (pid ${instance.pid}) could not be killed: ${code}`, { cause: thrown });
  }
}
