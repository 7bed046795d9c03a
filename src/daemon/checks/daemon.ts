/** Checks the daemon: its identity, whether it answers, and its own status. Never starts one. */
import { existsSync, rmSync, statSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import { DispatchError, fail } from "../../base/error.ts";
import { readLock } from "../../base/flock.ts";
import { isAlive } from "../../base/identity.ts";
import { instanceIn, otherSocket } from "../../base/instance.ts";
import { limits } from "../../base/limits.ts";
import { version } from "../../base/version.ts";
import { connect } from "../../surface/client.ts";
import { bad, badOf, type CheckContext, type Finding, ok, warn } from "./check.ts";

export async function checkDaemon(
  { paths, isSandboxed, timeoutMs }: CheckContext,
  clock: Clock,
): Promise<Finding> {
  const { held, text } = readLock(paths.lock);
  const instance = held ? instanceIn(text) : undefined;
  if (!held) {
    const isStopped = existsSync(paths.stopped);
    return ok(isStopped ? "stopped by `dispatch down`" : "no daemon runs; the next command starts one", {
      ...(isStopped ? { recovery: "dispatch up" } : {}),
      data: { running: false, stopped: isStopped },
    });
  }
  const data = { running: true, pid: instance?.pid ?? null, version: instance?.version ?? null };
  const who = instance
    ? `daemon ${instance.version}, pid ${instance.pid}`
    : "a daemon that has not written its identity";
  if (isSandboxed)
    return warn(`${who}; this shell is sandboxed and cannot reach it`, {
      recovery: "ask to run outside the sandbox",
      data,
    });
  if (instance && !isAlive(instance))
    return bad(`the lock is held, but not by ${who}, which wrote its identity there`, {
      recovery: `find the process that has ${paths.lock} open`,
      data,
    });
  if (instance?.command)
    return warn(`${instance.command} (pid ${instance.pid}) works on the registry, and no daemon runs`, {
      recovery: "wait until it has ended",
      data: { ...data, running: false },
    });
  const other = instance && otherSocket(instance, paths.socket);
  if (other) return bad(other.message, { recovery: other.hint!, data });
  const status = await askStatus(paths.socket, clock, timeoutMs).catch(badOf);
  if ("summary" in status)
    return bad(`${who} holds the lock and does not answer: ${status.summary}`, {
      recovery: "dispatch down --force",
      data,
    });
  return staleStopMarker(paths.stopped, clock) ?? judge(who, instance?.version, { ...data, status });
}

/** The stop marker of a `down` that was killed before it reached the daemon. It would prevent the next autostart. */
function staleStopMarker(mark: string, clock: Clock): Finding | undefined {
  const left = statSync(mark, { throwIfNoEntry: false });
  if (!left || clock.now() - left.mtimeMs < limits.daemon.markAgeMs) return undefined;
  return warn("the daemon runs but is marked as stopped: after it exits no command would start it again", {
    recovery: "dispatch up",
    fix() {
      rmSync(mark);
      return `removed ${mark}, left by an interrupted dispatch down`;
    },
  });
}

function judge(who: string, running: string | undefined, data: { status: Record<string, unknown> }): Finding {
  const { degraded: reported } = data.status;
  const degraded = Array.isArray(reported) ? (reported as { message?: string; hint?: string | null }[]) : [];
  const first = degraded[0];
  if (first)
    return warn(`${who} is degraded: ${degraded.map(({ message }) => message).join("; ")}`, {
      ...(first.hint ? { recovery: first.hint } : {}),
      data,
    });
  if (running !== undefined && running !== version)
    return warn(`${who} has another version than this dispatch (${version})`, {
      recovery: "dispatch down, then dispatch up",
      data,
    });
  return ok(who, { data });
}

/** Works with a daemon of any version: `daemon.status` is frozen, so no schema has to match. */
export async function askStatus(
  socket: string,
  clock: Clock,
  timeoutMs: number,
): Promise<Record<string, unknown>> {
  const connection = (await connect(socket)) ?? fail("daemon_down", `nobody listens on ${socket}`);
  const patience = new AbortController();
  try {
    const caller = { kind: "cli", thread_id: null, cwd: "/" } as const;
    const late = clock
      .sleep(timeoutMs, patience.signal)
      .then(() => fail("timeout", `no answer within ${timeoutMs / 1000} s`));
    const answer = await Promise.race([
      late,
      connection.call({ op: "daemon.status", schema: "", input: {}, caller }),
    ]);
    if ("result" in answer) return answer.result;
    return "error" in answer
      ? Promise.reject(DispatchError.fromBody(answer.error))
      : fail("daemon_down", "the connection was lost");
  } finally {
    patience.abort();
    connection.close();
  }
}
