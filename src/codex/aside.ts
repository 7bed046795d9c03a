/**
 * Questions that the executable answers and ends: its version, its schema. They get a CODEX_HOME of their own, since
 * each start of Codex clears helper folders out of its home: beside an app-server that just starts it may take that
 * one's, and every sandboxed command of it fails from then on (facts F69).
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "../base/limits.ts";
import { type Env, type RunResult, run } from "../base/spawn.ts";
import { childEnv } from "./child.ts";

/** `args` and `read` are given the folder, which is gone afterwards. Throws where no folder can be made. */
export async function askAside<T>(
  executable: string,
  { args, env, timeoutMs }: { args(folder: string): string[]; env: Env; timeoutMs: number },
  read: (said: RunResult, folder: string) => T | Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "dispatch-codex-"));
  try {
    const said = await run([executable, ...args(folder)], {
      timeoutMs,
      bytesMax: limits.process.stderrTailBytes,
      env: { ...childEnv(env), CODEX_HOME: folder },
    });
    return await read(said, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
