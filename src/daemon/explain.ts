/** The messages of a daemon that does not start. */
import { DispatchError, errorMessage } from "../base/error.ts";
import { readLock } from "../base/flock.ts";
import { instanceIn } from "../base/instance.ts";
import type { Paths } from "../base/paths.ts";
import { isTerminal, stderrFd, writeErr } from "../base/stdio.ts";
import { toJsonLine, toTerminal } from "../base/text.ts";

/** The exit status when another daemon runs already. This is not an error. */
const exitTaken = 3;

export async function exitAlreadyRunning(paths: Paths, foreground: boolean): Promise<number> {
  // Without a terminal a client started it. That client connects to the other daemon.
  if (!foreground) return exitTaken;
  const other = instanceIn(readLock(paths.lock).text);
  const who = other ? ` (pid ${other.pid}, version ${other.version})` : "";
  const message = other?.command
    ? `${other.command}${who} works on the registry of ${paths.home}\nhint: wait until it has ended`
    : `another daemon${who} runs for ${paths.home}\nhint: dispatch down`;
  await writeErr(toTerminal(`${message}\n`, { color: false }));
  return exitTaken;
}

/**
 * Writes the error to stderr and returns its exit status. Autostart looks for the JSON line in the daemon's log. On a
 * terminal it is two lines of text.
 */
export async function explain(thrown: unknown): Promise<number> {
  const error = asError(thrown);
  const hint = error.hint === null ? "" : `\nhint: ${error.hint}`;
  const human = isTerminal(stderrFd);
  await writeErr(
    human
      ? toTerminal(`${error.message}${hint}\n`, { color: false })
      : `${toJsonLine({ error: error.body })}\n`,
  );
  return error.exit;
}

export function asError(thrown: unknown): DispatchError {
  if (thrown instanceof DispatchError) return thrown;
  return new DispatchError("internal", `the daemon could not start: ${errorMessage(thrown)}`, {
    hint: "dispatch doctor",
    cause: thrown,
  });
}
