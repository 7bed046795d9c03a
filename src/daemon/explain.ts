/** What a daemon that does not run says to whoever typed the command. */
import { DispatchError, errorMessage } from "../base/error.ts";
import { readLock } from "../base/flock.ts";
import type { Paths } from "../base/paths.ts";
import { isTerminal, stderrFd, writeErr } from "../base/stdio.ts";
import { toJsonLine, toTerminal } from "../base/text.ts";
import { instanceIn } from "./instance.ts";

/** Not an error: somebody else is the daemon already. */
const exitTaken = 3;

export async function yieldPlace(paths: Paths, foreground: boolean): Promise<number> {
  // Its client is knocking at the other's socket already.
  if (!foreground) return exitTaken;
  const other = instanceIn(readLock(paths.lock).text);
  const who = other ? ` (pid ${other.pid}, version ${other.version})` : "";
  await writeErr(
    toTerminal(`another daemon${who} runs for ${paths.home}\nhint: dispatch down\n`, { color: false }),
  );
  return exitTaken;
}

/**
 * To whoever typed `dispatch up`: autostart looks for a line of this form in what the daemon printed before it ended.
 * A person in the foreground reads two lines.
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
