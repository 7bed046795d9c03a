/** Runs a command on another machine that looks at its files and processes: `up`, `doctor`, `registry check`. */

import { inheritedEnv } from "../../base/env.ts";
import { fail } from "../../base/error.ts";
import { runInTerminal } from "../../base/spawn.ts";
import { isTerminal, stdinFd, stdoutFd } from "../../base/stdio.ts";
import type { IndexRow } from "../../ops/op.ts";
import { callerHere } from "../caller.ts";
import type { SessionContext } from "../cli/opensession.ts";
import { quoted } from "../cli/spell.ts";
import { admitted } from "./admit.ts";
import { notReached } from "./hostdown.ts";
import type { RemoteHost } from "./hosts.ts";
import { sshCommand } from "./sshcommand.ts";

/** Its output, its terminal and its exit status are those of the command there. */
export async function runThere(
  host: RemoteHost,
  row: IndexRow,
  args: readonly string[],
  { globals, deps, paths }: SessionContext,
): Promise<number> {
  const caller = await admitted(callerHere("cli"), {
    host: host.name,
    isRead: row.intent === "read",
    paths,
    deps,
  });
  if (caller.thread_id !== null)
    fail("denied", `an agent may not "${row.cli}" on another machine`, {
      hint: `a person may: dispatch --host ${quoted(host.name)} ${row.cli}`,
    });
  const { json, color, quiet, yes, interactive, start, deadline } = globals;
  const flags = [
    ...Object.entries({ json, color, quiet, yes, interactive, start }).flatMap(([name, value]) =>
      value === undefined ? [] : [value ? `--${name}` : `--no-${name}`],
    ),
    ...(deadline === undefined ? [] : ["--deadline", String(deadline)]),
  ];
  const words = [...flags, ...row.cli.split(" "), ...args].map(quoted);
  const hasTerminal = isTerminal(stdinFd) && isTerminal(stdoutFd);
  const remote = [host.command, ...words].join(" ");
  const status = await runInTerminal(sshCommand(host, remote, { hasTerminal }), inheritedEnv());
  // Of ssh itself, and of the shell there: they have said why already.
  if (status === 255 || status === 127) throw notReached(host, { status, stderr: "" });
  return status;
}
