/** Makes the `Host` of the ops: the daemon process. */
import type { Clock } from "../base/clock.ts";
import { readEnv } from "../base/env.ts";
import type { LogFile } from "../base/logfile.ts";
import type { Paths } from "../base/paths.ts";
import { ownUid } from "../base/privacy.ts";
import { isTerminal, stderrFd } from "../base/stdio.ts";
import { version } from "../base/version.ts";
import type { Host } from "../ops/ctx.ts";

export function hostOf(
  paths: Paths,
  clock: Clock,
  log: LogFile,
  {
    stop,
    calls,
    faults,
    previous,
    readFar,
  }: Pick<Host, "stop" | "calls" | "faults" | "previous" | "readFar">,
): Host {
  const startedAt = clock.monotonic();
  return {
    pid: process.pid,
    version,
    startedAt: clock.now(),
    uptimeMs: () => clock.monotonic() - startedAt,
    paths,
    // The working directory of a detached daemon is `/`. PWD is the directory of the command that started it.
    startedBy: {
      user: readEnv().USER ?? `uid ${ownUid()}`,
      cwd: readEnv().PWD ?? process.cwd(),
      terminal: isTerminal(stderrFd),
      by: readEnv().DISPATCH_STARTED_BY ?? null,
      path: readEnv().PATH ?? null,
    },
    rssBytes: () => process.memoryUsage.rss(),
    calls,
    stop,
    faults,
    previous,
    readFar,
    logTail: (lines) => log.tail(lines),
  };
}
