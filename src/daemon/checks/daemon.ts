/** The daemon: who it is, whether it answers, and what it says of itself. Never starts one. */
import { existsSync, rmSync, statSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import { DispatchError, fail } from "../../base/error.ts";
import { readLock } from "../../base/flock.ts";
import { isAlive } from "../../base/identity.ts";
import { limits } from "../../base/limits.ts";
import { version } from "../../base/version.ts";
import { connect } from "../../surface/client.ts";
import { instanceIn } from "../instance.ts";
import { type Asked, bad, badOf, type Finding, ok, warn } from "./check.ts";

export async function checkDaemon({ paths, isSandboxed, timeoutMs }: Asked, clock: Clock): Promise<Finding> {
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
    : "a daemon that has not said who it is";
  if (isSandboxed)
    return warn(`${who}; this shell is sandboxed and cannot reach it`, {
      recovery: "ask to run outside the sandbox",
      data,
    });
  if (instance && !isAlive(instance))
    return bad(`the lock is held, but not by ${who}, who wrote its name there`, {
      recovery: `look who has ${paths.lock} open`,
      data,
    });
  const status = await askStatus(paths.socket, clock, timeoutMs).catch(badOf);
  if ("summary" in status)
    return bad(`${who} holds the lock and does not answer: ${status.summary}`, {
      recovery: "dispatch down --force",
      data,
    });
  return cutOffDown(paths.stopped, clock) ?? judge(who, instance?.version, { ...data, status });
}

/** A `down` that was cut off before the daemon heard of it: once that ends, nothing would start it again. */
function cutOffDown(mark: string, clock: Clock): Finding | undefined {
  const left = statSync(mark, { throwIfNoEntry: false });
  if (!left || clock.now() - left.mtimeMs < limits.daemon.markAgeMs) return undefined;
  return warn("the daemon runs, and is marked as stopped: once it ends no command would start it again", {
    recovery: "dispatch up",
    mend() {
      rmSync(mark);
      return `removed ${mark}, left by a dispatch down that was cut off`;
    },
  });
}

function judge(who: string, running: string | undefined, data: { status: Record<string, unknown> }): Finding {
  const { degraded: told } = data.status;
  const degraded = Array.isArray(told) ? (told as { message?: string; hint?: string | null }[]) : [];
  const first = degraded[0];
  if (first)
    return warn(`${who} works with limits: ${degraded.map((one) => one.message).join("; ")}`, {
      ...(first.hint ? { recovery: first.hint } : {}),
      data,
    });
  if (running !== undefined && running !== version)
    return warn(`${who} is not of this version (${version})`, {
      recovery: "dispatch down, then dispatch up",
      data,
    });
  return ok(who, { data });
}

/** Of a daemon of any age: `daemon.status` is frozen, so no schema has to match. */
async function askStatus(socket: string, clock: Clock, timeoutMs: number): Promise<Record<string, unknown>> {
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
