/** `dispatch top`: a live board of all threads on a terminal, or with `--plain` one line for each change. */
import { systemClock } from "../../base/clock.ts";
import { readEnv } from "../../base/env.ts";
import { fail } from "../../base/error.ts";
import { isTerminal, stdinFd, stdoutFd } from "../../base/stdio.ts";
import { callerHere } from "../caller.ts";
import { hostOf, sessionOn } from "../cli/opensession.ts";
import type { CommandContext } from "../cli/tree.ts";
import { callsOf } from "./daemon.ts";

export interface TopOptions extends CommandContext {
  isPlain: boolean;
}

/** Throws `usage` without a terminal, unless it is plain; before the screen is taken, what the daemon says. */
export async function runTop({ globals, deps, paths, out, isPlain }: TopOptions): Promise<number> {
  const hint = "dispatch top --plain";
  const { NO_COLOR, TERM } = readEnv();
  if (!isPlain) {
    if (globals.json) fail("usage", "--json needs --plain", { hint: `${hint} --json` });
    if (!isTerminal(stdinFd) || !isTerminal(stdoutFd) || globals.interactive === false)
      fail("usage", "the board needs a terminal", { hint });
    if (TERM === "dumb") fail("usage", "this terminal cannot move its cursor", { hint });
  }
  const { session } = await sessionOn(await hostOf({ globals, deps, paths }), { globals, deps, paths, out });
  const calls = callsOf(session, deps, callerHere("cli"));
  const stop = new AbortController();
  const cancel = globals.deadline ? systemClock.after(globals.deadline * 1000, () => stop.abort()) : () => {};
  try {
    if (isPlain) {
      const { runPlain } = await import("./plain.ts");
      return await runPlain(calls, { isJson: globals.json === true, clock: systemClock, stop });
    }
    const { runBoard } = await import("./loop.ts");
    return await runBoard(calls, { color: globals.color ?? !NO_COLOR, clock: systemClock, stop });
  } finally {
    cancel();
    session.close();
  }
}
