/**
 * Runs short commands of the Codex executable (its version, its schema) with a temporary CODEX_HOME. Each start of Codex
 * removes helper folders from its home. With the user's home it may remove those of an app-server that is starting, and
 * then every sandboxed command of that one fails (facts F69).
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "../base/limits.ts";
import { type Env, type RunResult, run } from "../base/spawn.ts";
import { childEnv } from "./child.ts";

/** `args` and `read` receive the temporary folder, which is removed afterwards. Throws if it cannot be created. */
export async function runWithTemporaryHome<T>(
  executable: string,
  { args, env, timeoutMs }: { args(folder: string): string[]; env: Env; timeoutMs: number },
  read: (output: RunResult, folder: string) => T | Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "dispatch-codex-"));
  try {
    const output = await run([executable, ...args(folder)], {
      timeoutMs,
      bytesMax: limits.process.commandBytesMax,
      env: { ...childEnv(env), CODEX_HOME: folder },
    });
    return await read(output, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
