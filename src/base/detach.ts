/** Starting a process that outlives this one. */
import { closeSync, constants } from "node:fs";
import { errorMessage, fail } from "./error.ts";
import { openOwnOrFail } from "./ownfile.ts";

export interface Detached {
  pid: number;
  /** Its exit status, 128 when a signal ended it, null while it runs. */
  exited(): number | null;
}

/**
 * In its own session (measured: pid = sid), so that neither the terminal's hang-up nor its Ctrl-C reaches it; in
 * `/`, so that it holds no file system busy; what it prints before it has a log of its own is appended to `logPath`.
 */
export function spawnDetached(
  argv: readonly string[],
  options: { logPath: string; env: Record<string, string | undefined>; cwd?: string },
): Detached {
  const log = openOwnOrFail(
    options.logPath,
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT,
    "the log",
  );
  try {
    const child = Bun.spawn([...argv], {
      detached: true,
      stdio: ["ignore", log, log],
      cwd: options.cwd ?? "/",
      env: options.env,
    });
    child.unref();
    return { pid: child.pid, exited: () => child.exitCode ?? (child.signalCode === null ? null : 128) };
  } catch (cause) {
    return fail("daemon_down", `could not start ${argv[0]}: ${errorMessage(cause)}`, { cause });
  } finally {
    closeSync(log);
  }
}
