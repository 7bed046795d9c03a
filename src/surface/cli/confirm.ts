/** Confirmation before a destructive command: a person is asked, a script needs `--yes`. */
import { fail } from "../../base/error.ts";
import { isTerminal, stdinFd, stdoutFd } from "../../base/stdio.ts";
import { cell, toTerminal } from "../../base/text.ts";
import type { Globals } from "./globals.ts";

/** True when the person confirms or `--yes` is set. False when they do not, or when there is no terminal. */
export async function confirmed(question: string, globals: Globals): Promise<boolean> {
  if (globals.yes) return true;
  if (!mayAsk(globals)) return false;
  // Loaded only for a prompt: consola takes longer to load than the whole command takes.
  const { consola } = await import("consola");
  const answer: unknown = await consola.prompt(toTerminal(cell(question), { color: false }), {
    type: "confirm",
    initial: false,
    cancel: "null",
  });
  return answer === true;
}

/** A person is at the terminal, and may be asked. */
export function mayAsk(globals: Globals): boolean {
  return globals.interactive !== false && isTerminal(stdinFd) && isTerminal(stdoutFd);
}

/** Throws `usage` unless the command is confirmed. */
export async function confirmDestroy(command: string, summary: string, globals: Globals): Promise<void> {
  if (await confirmed(`${summary}: ${command}?`, globals)) return;
  fail(
    "usage",
    mayAsk(globals)
      ? "not confirmed: nothing was done"
      : `${command} is destructive and there is no terminal to confirm it`,
    {
      hint: `${command} --yes`,
    },
  );
}
