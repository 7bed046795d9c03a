/** `dispatch top`: a live board of all threads on a terminal, or with `--plain` one line for each change. */
import { systemClock } from "../../base/clock.ts";
import { readEnv } from "../../base/env.ts";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { isTerminal, stdinFd, stdoutFd } from "../../base/stdio.ts";
import { callerHere } from "../caller.ts";
import { hostOf, sessionOn } from "../cli/opensession.ts";
import type { CommandContext } from "../cli/tree.ts";
import type { RemoteHost } from "../remote/hosts.ts";
import type { Session } from "../session.ts";
import { type Calls, callsOf } from "./daemon.ts";

export interface TopOptions extends CommandContext {
  isPlain: boolean;
  /** All machines of the configuration. */
  isOfHosts: boolean;
}

/** Throws `usage` without a terminal, unless it is plain; before the screen is taken, what the daemon says. */
export async function runTop({ isPlain, isOfHosts, ...context }: TopOptions): Promise<number> {
  const { globals } = context;
  const hint = "dispatch top --plain";
  const { NO_COLOR, TERM } = readEnv();
  if (!isPlain) {
    if (globals.json) fail("usage", "--json needs --plain", { hint: `${hint} --json` });
    if (!isTerminal(stdinFd) || !isTerminal(stdoutFd) || globals.interactive === false)
      fail("usage", "the board needs a terminal", { hint });
    if (TERM === "dumb") fail("usage", "this terminal cannot move its cursor", { hint });
  }
  const sessions: Session[] = [];
  const callsOn = async (host: RemoteHost | undefined, dialMs?: number) => {
    const { session } = await sessionOn(host, context, dialMs);
    sessions.push(session);
    return callsOf(session, context.deps, callerHere("cli"));
  };
  const calls = isOfHosts ? await callsOnAll(context, callsOn) : await callsOn(await hostOf(context));
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
    for (const session of sessions) session.close();
  }
}

async function callsOnAll(
  { globals, deps, paths }: CommandContext,
  callsOn: (host: RemoteHost | undefined, dialMs: number) => Promise<Calls>,
): Promise<Calls> {
  if (globals.host !== undefined)
    fail("usage", "--hosts and --host exclude each other", { hint: "dispatch top --hosts" });
  const [{ hostsNamed }, { severalCalls }] = await Promise.all([
    import("../remote/hosts.ts"),
    import("./several.ts"),
  ]);
  const hosts = [undefined, ...hostsNamed(await deps.hosts(paths))];
  if (hosts.length > limits.host.atOnceMax)
    fail("too_large", `the board shows at most ${limits.host.atOnceMax} machines`, {
      hint: "dispatch top --host NAME",
    });
  const machines = hosts.map(async (host) => ({
    host: host?.name ?? null,
    calls: await callsOn(host, limits.host.severalDialMs),
  }));
  return severalCalls(await Promise.all(machines), systemClock);
}
