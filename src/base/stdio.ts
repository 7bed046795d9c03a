/**
 * Standard input and output of a short-lived command. `process.stdout` is never touched off a terminal (+13 ms
 * measured), nor is node:tty (+5 ms); `Bun.write` waits for a slow reader and for a non-blocking pipe.
 */
import { readEnv } from "./env.ts";
import { errorMessage, fail } from "./error.ts";
import { libc } from "./libc.ts";

export const stdinFd = 0;
export const stdoutFd = 1;
export const stderrFd = 2;

let isattyOf: ((fd: number) => number) | undefined;

export function isTerminal(fd: number): boolean {
  isattyOf ??= libc({ isatty: { args: ["i32"], returns: "i32" } }).isatty;
  return isattyOf(fd) === 1;
}

/** Columns of the terminal that stdout is. Ask only when it is one. */
export function terminalWidth(): number {
  const columns = Number(readEnv().COLUMNS);
  return Number.isInteger(columns) && columns > 0 ? columns : process.stdout.columns || 80;
}

/** Lines of the terminal that stdout is. */
export function terminalRows(): number {
  return process.stdout.rows || 24;
}

/** False when the reader has gone (`| head`): the command then ends silently. Throws `storage`: a full device. */
export async function writeOut(s: string | Uint8Array): Promise<boolean> {
  try {
    await Bun.write(Bun.stdout, s);
    return true;
  } catch (cause) {
    if ((cause as { code?: unknown }).code === "EPIPE") return false;
    return fail("storage", `could not write to standard output: ${errorMessage(cause)}`, { cause });
  }
}

/** Never throws: a failure here has no place left to be told, and must not change what the command does. */
export async function writeErr(s: string): Promise<void> {
  await Bun.write(Bun.stderr, s).catch(() => {});
}

/** Standard input as it comes. */
export function stdinChunks(): AsyncIterable<Uint8Array> {
  return Bun.stdin.stream();
}

/** All of standard input, or undefined when it is longer than `bytesMax`. */
export async function readStdin(bytesMax: number): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of Bun.stdin.stream()) {
    bytes += part.length;
    if (bytes > bytesMax) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Calls `fn` at Ctrl-C or TERM instead of dying; the returned function gives the signals back. */
export function onInterrupt(fn: () => void): () => void {
  process.on("SIGINT", fn);
  process.on("SIGTERM", fn);
  return () => {
    process.off("SIGINT", fn);
    process.off("SIGTERM", fn);
  };
}
