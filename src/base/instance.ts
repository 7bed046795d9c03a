/** Who holds the lock of a home: what it wrote into the lock file. */
import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DispatchError, fail } from "./error.ts";
import { isAlive, type ProcessIdentity } from "./identity.ts";

export interface Instance extends ProcessIdentity {
  version: string;
  /** The command that works on the registry while no daemon runs. Null: it is a daemon. */
  command: string | null;
  /** Where the daemon listens. Null in the lock file of an older one. */
  socket: string | null;
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
      command: textOrNull(written.command),
      socket: textOrNull(written.socket),
    };
  } catch {
    // The file is empty, or a daemon was killed while it wrote.
    return undefined;
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** The error of a client whose DISPATCH_SOCKET is not that of the daemon of its home; undefined when it is. */
export function otherSocket(
  { socket, pid }: Pick<Instance, "socket" | "pid">,
  ours: string,
): DispatchError | undefined {
  if (socket === null || real(socket) === real(ours)) return undefined;
  return new DispatchError(
    "conflict",
    `the daemon of this home (pid ${pid}) listens on ${socket}, not on ${ours}`,
    {
      hint: `set DISPATCH_SOCKET to ${socket}`,
    },
  );
}

/** A path may contain a link, as a home may. */
function real(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    return path;
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
