import { existsSync } from "node:fs";
import type { Clock } from "./clock.ts";
import { errorMessage, fail } from "./error.ts";
import { limits } from "./limits.ts";

/** The only place that starts a process. */
export type Env = Record<string, string | undefined>;

export interface Exit {
  code: number | null;
  signal: string | null;
}

/** A child that leads its own process group, so that what it starts can be ended with it. */
export interface Child {
  pid: number;
  /** The same number as `pid`. */
  group: number;
  stdout: ReadableStream<Uint8Array>;
  stderr: ReadableStream<Uint8Array>;
  /** Resolves when the child is reaped. Its pipes may be held open longer by what it started. */
  exited: Promise<Exit>;
  /** Queues bytes for the child's stdin. A child that no longer reads is no error here: `exited` tells. */
  write(text: string | Uint8Array): void;
  endInput(): void;
  /** Signals its whole group. Nothing once it is reaped: the number may be a stranger's by then. */
  signal(signal: "SIGTERM" | "SIGKILL"): void;
}

const ownChildren = new Set<number>();

/** Whether this process started it and waits for its end. */
export function isOwnChild(pid: number): boolean {
  return ownChildren.has(pid);
}

export function spawnGroup(command: string[], options: { env: Env; cwd: string }): Child {
  const child = spawned(command, options);
  ownChildren.add(child.pid);
  const forget = () => void ownChildren.delete(child.pid);
  child.exited.then(forget, forget);
  const stdin = child.stdin;
  // The pipe breaks when the child dies; `exited` reports that, once, with its reason.
  const ignoreBroken = (written: number | Promise<number>) => {
    if (written instanceof Promise) written.catch(() => {});
  };
  return {
    pid: child.pid,
    group: child.pid,
    stdout: child.stdout,
    stderr: child.stderr,
    exited: child.exited.then(() => ({
      code: child.exitCode,
      signal: child.signalCode === null ? null : String(child.signalCode),
    })),
    write(text) {
      try {
        ignoreBroken(stdin.write(text));
        ignoreBroken(stdin.flush());
      } catch (thrown) {
        if (!isBrokenPipe(thrown)) throw thrown;
      }
    },
    endInput() {
      try {
        ignoreBroken(stdin.end() as number | Promise<number>);
      } catch (thrown) {
        if (!isBrokenPipe(thrown)) throw thrown;
      }
    },
    signal(signal) {
      if (child.exitCode === null && child.signalCode === null) signalGroup(child.pid, signal);
    },
  };
}

/** Signals a whole group, whose members the caller has made sure of. False when nothing of it is left. */
export function signalGroup(group: number, signal: "SIGTERM" | "SIGKILL"): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    // macOS says EPERM of a group that holds only zombies [not exercised].
    if (code === "ESRCH" || code === "EPERM") return false;
    throw thrown;
  }
}

/** Waits `graceMs` for the child to leave by itself, then TERM, `termGraceMs`, then KILL; resolves when it is reaped. */
export async function endGroup(
  child: Pick<Child, "signal" | "exited">,
  clock: Clock,
  ladder: { graceMs: number; termGraceMs: number },
): Promise<Exit> {
  if (ladder.graceMs > 0 && (await endsWithin(child, clock, ladder.graceMs))) return child.exited;
  child.signal("SIGTERM");
  if (await endsWithin(child, clock, ladder.termGraceMs)) return child.exited;
  child.signal("SIGKILL");
  return child.exited;
}

async function endsWithin(child: Pick<Child, "exited">, clock: Clock, ms: number): Promise<boolean> {
  const patience = new AbortController();
  const left = await Promise.race([
    child.exited.then(() => true),
    clock.sleep(ms, patience.signal).then(() => false),
  ]);
  patience.abort();
  return left;
}

export interface RunResult extends Exit {
  stdout: string;
  stderr: string;
  timedOut: boolean;
  /** Some output was over `bytesMax` and dropped. */
  truncated: boolean;
}

/** Runs a short command to its end. Its output is bounded, and so is its time: then its whole group is killed. */
export async function run(
  command: string[],
  options: {
    timeoutMs: number;
    bytesMax: number;
    env?: Env;
    cwd?: string;
    stdin?: string;
    started?(pid: number): void;
  },
): Promise<RunResult> {
  const child = spawnGroup(command, { env: options.env ?? process.env, cwd: options.cwd ?? "/" });
  options.started?.(child.pid);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.signal("SIGKILL");
  }, options.timeoutMs);
  if (options.stdin !== undefined) child.write(options.stdin);
  child.endInput();
  try {
    const [out, err, exit] = await Promise.all([
      collected(child.stdout, options.bytesMax, child.exited),
      collected(child.stderr, options.bytesMax, child.exited),
      child.exited,
    ]);
    return {
      ...exit,
      stdout: out.text,
      stderr: err.text,
      timedOut,
      truncated: out.truncated || err.truncated,
    };
  } finally {
    clearTimeout(timer);
  }
}

/** A program that takes over this terminal, with our own process group, so that Ctrl-C is its own. */
export async function runInTerminal(command: string[], env: Env): Promise<number> {
  const child = Bun.spawn(command, { stdin: "inherit", stdout: "inherit", stderr: "inherit", env });
  return child.exited;
}

/** The stdout of a command that answers at once; "" when it cannot be run. For the few facts only a tool knows. */
export function runSync(command: string[]): string {
  const done = Bun.spawnSync(command, {
    stdin: "ignore",
    stderr: "ignore",
    timeout: limits.process.toolTimeoutMs,
  });
  return done.success ? done.stdout.toString() : "";
}

function spawned(command: string[], options: { env: Env; cwd: string }) {
  try {
    return Bun.spawn(command, {
      detached: true,
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
      env: options.env,
      cwd: options.cwd,
    });
  } catch (thrown) {
    return fail("not_found", `cannot start ${command[0]}: ${startFault(command[0]!, options.cwd, thrown)}`, {
      cause: thrown,
    });
  }
}

/** The kernel has one error for a program, its interpreter and a directory that are not there. */
function startFault(program: string, cwd: string, thrown: unknown): string {
  const code = (thrown as NodeJS.ErrnoException).code;
  if (code === "ENOENT" && !existsSync(cwd)) return `there is no directory ${cwd}`;
  if (code === "ENOENT" && existsSync(program))
    return "it needs an interpreter or a loader that is not installed";
  return code === "ENOEXEC" ? "it is not a program for this system" : errorMessage(thrown);
}

/** What the command wrote. Something it left behind may hold its pipe: that is not waited for. */
async function collected(
  stream: ReadableStream<Uint8Array>,
  bytesMax: number,
  exited: Promise<unknown>,
): Promise<{ text: string; truncated: boolean }> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let text = "";
  let left = bytesMax;
  let truncated = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const giveUp = () => {
    timer = setTimeout(() => reader.cancel().catch(() => {}), limits.process.pipeGraceMs);
  };
  exited.then(giveUp, giveUp);
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const part = read.value.subarray(0, left);
    truncated ||= part.length < read.value.length;
    left -= part.length;
    text += decoder.decode(part, { stream: true });
  }
  clearTimeout(timer);
  return { text: text + decoder.decode(), truncated };
}

function isBrokenPipe(thrown: unknown): boolean {
  const code = (thrown as NodeJS.ErrnoException | undefined)?.code;
  return code === "EPIPE" || code === "ERR_INVALID_STATE" || code === "ECONNRESET";
}
