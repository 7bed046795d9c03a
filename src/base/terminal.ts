/**
 * The terminal of a program that draws on it: keys as they are typed, its size, and output that never blocks the program.
 * Only for a process whose standard input and output are a terminal.
 */
import { write } from "node:fs";
import { limits } from "./limits.ts";
import { stdoutFd } from "./stdio.ts";

export interface Size {
  columns: number;
  rows: number;
}

export interface Terminal {
  size(): Size;
  /** On: keys come one by one and are not shown, and Ctrl-C is a key. */
  setRaw(isOn: boolean): void;
  /** Resolves when the terminal has taken all of it, which a slow one delays. Rejects when it is gone. */
  write(s: string): Promise<void>;
  /** Calls `onKeys` with what is typed, and `onGone` when the terminal goes away. */
  listen(on: { keys(bytes: Uint8Array): void; resize(): void; gone(): void }): () => void;
}

export function openTerminal(): Terminal {
  const { stdin, stdout } = process;
  return {
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    setRaw(isOn) {
      // After a suspension the shell has set its own modes, and Bun ignores a mode that it believes to be set.
      if (isOn) stdin.setRawMode(false);
      stdin.setRawMode(isOn);
      // A resize during a suspension was reported to the shell only. This emits `resize` when the size differs.
      if (isOn) (stdout as { _refreshSize?(): void })._refreshSize?.();
    },
    write: (s) => written(Buffer.from(s)),
    listen({ keys, resize, gone }) {
      stdin.on("data", keys);
      for (const event of ["end", "close", "error"]) stdin.on(event, gone);
      stdout.on("resize", resize);
      stdin.resume();
      return () => {
        stdin.off("data", keys);
        for (const event of ["end", "close", "error"]) stdin.off(event, gone);
        stdout.off("resize", resize);
        stdin.pause();
      };
    },
  };
}

/** In a thread of the runtime's pool: a terminal that takes nothing blocks that thread only. */
async function written(bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    write(stdoutFd, bytes, at, bytes.length - at, null, (error, count) =>
      error && error.code !== "EAGAIN" ? reject(error) : resolve(error ? 0 : count),
    );
    const count = await promise;
    if (count === 0) await Bun.sleep(limits.top.writeRetryMs);
    at += count;
  }
}
