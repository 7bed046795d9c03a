/** Before something is destroyed: a person is asked, a script must have said so. */
import { fail } from "../../base/error.ts";
import { isTerminal, stdinFd, stdoutFd } from "../../base/stdio.ts";
import { cell, toTerminal } from "../../base/text.ts";
import type { Globals } from "./globals.ts";

/** True when the person said yes or `--yes` did; false when they said no, or when there is nobody to ask. */
export async function confirmed(question: string, globals: Globals): Promise<boolean> {
  if (globals.yes) return true;
  if (!mayAsk(globals)) return false;
  // Loaded for the one who waits for it: consola costs more than the whole command.
  const { consola } = await import("consola");
  const answer: unknown = await consola.prompt(toTerminal(cell(question), { color: false }), {
    type: "confirm",
    initial: false,
    cancel: "null",
  });
  return answer === true;
}

function mayAsk(globals: Globals): boolean {
  return globals.interactive !== false && isTerminal(stdinFd) && isTerminal(stdoutFd);
}

/** Throws unless it may go on. */
export async function confirmDestroy(command: string, summary: string, globals: Globals): Promise<void> {
  if (await confirmed(`${summary}: ${command}?`, globals)) return;
  fail(
    "usage",
    mayAsk(globals)
      ? "not confirmed: nothing was done"
      : `${command} destroys something and there is nobody to ask`,
    {
      hint: `${command} --yes`,
    },
  );
}
