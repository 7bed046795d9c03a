/** One `codex app-server` process: its pipes, its exit, and the reason of the exit. It does not interpret the lines. */
import type { Clock } from "../base/clock.ts";
import { errorMessage, fail } from "../base/error.ts";
import { groupMembers, identityOf, isGroupAlive } from "../base/identity.ts";
import { limits } from "../base/limits.ts";
import { type LineSplitter, lineSplitter, type Oversize } from "../base/lines.ts";
import { type Child, type Env, type Exit, endGroup, signalGroup, spawnGroup } from "../base/spawn.ts";
import type { ChildIdentity } from "../core/model/ports/agent.ts";
import type { Printed } from "./printed.ts";

export interface CodexChild {
  identity: ChildIdentity;
  write(line: string): void;
  /** Closes stdin, then TERM, then KILL. Resolves when the process is reaped. */
  end(): Promise<void>;
  /** TERM, then KILL. `words` is the reason that `gone` resolves with. */
  kill(words: string): Promise<void>;
  /** Resolves with the reason of the exit, when the process is reaped and its output is read. Never rejects. */
  gone: Promise<string>;
  /** True while a process of its group lives. */
  isLeft(): boolean;
}

/** Receives the lines of one read of stdout, in order. The next read waits for the promise. */
export type OnRead = (lines: Uint8Array[]) => Promise<void>;

export function startChild(to: {
  executable: string;
  env: Env;
  clock: Clock;
  onRead: OnRead;
  onOversize(oversize: Oversize): void;
  printed: Printed;
}): CodexChild {
  // -c overrides the user's file. After this delay an idle thread's writer lock is released (facts F40); default 60 s.
  const unload = `thread_unload_delay_secs=${limits.codex.threadUnloadDelaySecs}`;
  const child = spawnGroup([to.executable, "app-server", "-c", unload], { env: childEnv(to.env), cwd: "/" });
  const identity = identityOf(child.pid);
  if (identity === undefined) {
    child.signal("SIGKILL");
    return fail("agent_down", "codex exited as soon as it started");
  }

  let reason: string | undefined;
  let isEnding = false;
  const stderrRead = readText(child.stderr, to.printed.stderr);
  // A child whose output is not read buffers without bound, so it is ended. The reason names the failure.
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
        // It cannot be checked, for example without a free file descriptor. Then it counts as alive until a later check.
        return true;
      }
    },
    write: child.write,
    async end() {
      isEnding = true;
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
      // No process of its group may survive: a message is sent again only when none is left.
      if (groupMembers(child.group).length > 0) signalGroup(child.group, "SIGKILL");
      await drained;
      await within(stderrRead, to.clock);
      return reason ?? exitReason(exit, isEnding, to.printed);
    })(),
  };
}

/** The environment of Codex: without the thread and the sandbox of the daemon's caller, and without variables of Bun. */
export function childEnv(env: Env): Env {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => name !== "CODEX_THREAD_ID" && !name.startsWith("CODEX_SANDBOX") && !name.startsWith("BUN_"),
    ),
  );
}

/**
 * Reads stdout all the time: an app-server whose output is not read buffers without bound (5.7 GB were seen). After its
 * exit the wait is bounded, because processes that it started may hold the pipe open.
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
  // A broken pipe is an end like any other: `exited` reports it.
  const next = () => reader.read().catch(() => ({ done: true as const, value: undefined }));
  const giveUp = () => to.clock.after(limits.process.drainGraceMs, () => reader.cancel().catch(() => {}));
  child.exited.then(giveUp, giveUp);
  for (let read = await next(); !read.done; read = await next()) {
    splitter.push(read.value);
    const whole = lines;
    lines = [];
    if (whole.length > 0) await to.onRead(whole);
  }
  const rest = splitter.end();
  // A message that its exit cut is no reason, and may be long.
  if (rest !== undefined && rest[0] !== openingBrace) await to.onRead([rest]);
}

const openingBrace = 0x7b;

async function readText(stream: ReadableStream<Uint8Array>, onText: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  try {
    for await (const chunk of stream) onText(decoder.decode(chunk, { stream: true }));
  } catch {
    // A broken pipe ends the reading. What was read is kept.
  }
}

/** The process is reaped and its last lines are in the pipe. Processes that it started may hold the pipe open. */
async function within(read: Promise<void>, clock: Clock): Promise<void> {
  const patience = new AbortController();
  await Promise.race([read, clock.sleep(limits.process.drainGraceMs, patience.signal)]);
  patience.abort();
}

/** What it printed explains an exit that it caused itself. When it was killed or stopped, that is about earlier events. */
function exitReason(exit: Exit, isEnding: boolean, printed: Printed): string {
  const how =
    exit.signal === null ? `codex ended with status ${exit.code}` : `codex was killed by ${exit.signal}`;
  const isStopped = isEnding || exit.signal === "SIGKILL" || exit.signal === "SIGTERM";
  return isStopped ? how : printed.explain(how);
}
