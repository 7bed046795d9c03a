/** One `codex app-server` process: its pipes, its end, and what it last said on stderr. Knows nothing of messages. */
import type { Clock } from "../base/clock.ts";
import { errorMessage, fail } from "../base/error.ts";
import { groupMembers, identityOf, isGroupAlive } from "../base/identity.ts";
import { limits } from "../base/limits.ts";
import { type LineSplitter, lineSplitter, type Oversize } from "../base/lines.ts";
import { type Child, type Env, type Exit, endGroup, signalGroup, spawnGroup } from "../base/spawn.ts";
import type { ChildIdentity } from "../core/model/ports/agent.ts";
import { stderrTail } from "./stderr.ts";

export interface CodexChild {
  identity: ChildIdentity;
  write(line: string): void;
  /** stdin closed, then TERM, then KILL. Resolves when it is reaped. */
  end(): Promise<void>;
  /** TERM, then KILL, with the reason that `gone` is to give. */
  kill(words: string): Promise<void>;
  /** Why it is gone: reaped, and what it had written was read. Never rejects. */
  gone: Promise<string>;
  /** Of its group something lives. */
  isLeft(): boolean;
}

/** The lines of one read of stdout, in order. The next read waits for it. */
export type OnRead = (lines: Uint8Array[]) => Promise<void>;

export function startChild(to: {
  executable: string;
  env: Env;
  clock: Clock;
  onRead: OnRead;
  onOversize(oversize: Oversize): void;
}): CodexChild {
  // -c, not the user's file: an idle thread's writer lock is given back after this delay, 60 s by default.
  const unload = `thread_unload_delay_secs=${limits.codex.threadUnloadDelaySecs}`;
  const child = spawnGroup([to.executable, "app-server", "-c", unload], { env: childEnv(to.env), cwd: "/" });
  const identity = identityOf(child.pid);
  if (identity === undefined) {
    child.signal("SIGKILL");
    return fail("agent_down", "codex ended before it could be seen");
  }

  let reason: string | undefined;
  const tail = stderrTail(child.stderr, to.clock);
  // A child that nobody reads buffers without bound, so it is ended. The reason names the failure.
  const drained = drain(child, to).catch((thrown: unknown) => {
    reason ??= `its output could not be read: ${errorMessage(thrown)}`;
    child.signal("SIGKILL");
  });

  const { start_time, boot_id } = identity;
  const known: ChildIdentity = { pid: child.pid, group: child.group, start_time, boot_id };
  return {
    identity: known,
    isLeft() {
      try {
        return isGroupAlive(known);
      } catch {
        // It cannot be looked at, without a descriptor for one: then it is taken for alive, and looked at again later.
        return true;
      }
    },
    write: child.write,
    async end() {
      child.endInput();
      await endGroup(child, to.clock, {
        graceMs: limits.process.stopGraceMs,
        termGraceMs: limits.process.termGraceMs,
      });
    },
    async kill(words) {
      reason ??= words;
      await endGroup(child, to.clock, { graceMs: 0, termGraceMs: limits.process.termGraceMs });
    },
    gone: (async () => {
      const exit = await child.exited;
      // Nothing of its group may outlive it: a message is sent again only when no process of it is left.
      if (groupMembers(child.group).length > 0) signalGroup(child.group, "SIGKILL");
      await drained;
      return reason ?? exitWords(exit, await tail.lastLines());
    })(),
  };
}

/** Dropped: who calls the daemon, what its caller's sandbox forbids, and what would steer a Bun inside Codex's shells. */
export function childEnv(env: Env): Env {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => name !== "CODEX_THREAD_ID" && !name.startsWith("CODEX_SANDBOX") && !name.startsWith("BUN_"),
    ),
  );
}

/**
 * stdout is read without end: an app-server that is not read buffers without bound, 5.7 GB were seen. After its exit
 * the pipe may be held open by what it started, so then the wait is bounded.
 */
async function drain(
  child: Child,
  to: { clock: Clock; onRead: OnRead; onOversize(oversize: Oversize): void },
): Promise<void> {
  let lines: Uint8Array[] = [];
  const splitter: LineSplitter = lineSplitter({
    lineBytesMax: limits.wire.lineBytesMax,
    onLine: (line) => lines.push(line),
    onOversize: to.onOversize,
  });
  const reader = child.stdout.getReader();
  // A pipe that breaks is an end like any other: `exited` tells of it.
  const next = () => reader.read().catch(() => ({ done: true as const, value: undefined }));
  const giveUp = () => to.clock.after(limits.process.drainGraceMs, () => reader.cancel().catch(() => {}));
  child.exited.then(giveUp, giveUp);
  for (let read = await next(); !read.done; read = await next()) {
    splitter.push(read.value);
    const whole = lines;
    lines = [];
    if (whole.length > 0) await to.onRead(whole);
  }
}

/** stderr explains an end of its own making. Of one by our hand, or another's, it only holds what happened before. */
function exitWords(exit: Exit, said: string): string {
  const how = exit.signal === null ? `ended with status ${exit.code}` : `was killed by ${exit.signal}`;
  const isByHand = exit.code === 0 || exit.signal === "SIGKILL" || exit.signal === "SIGTERM";
  return said === "" || isByHand ? `codex ${how}` : `codex ${how}: ${said}`;
}
