/** `[[notify]]`: a program of the user's that is told of events, and how it is run. */
import * as v from "valibot";
import { fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { type Env, run } from "../base/spawn.ts";
import { eventKindWords } from "../contract/events.ts";
import { watchedConditions } from "../contract/words.ts";

const rule = v.strictObject({
  kinds: v.pipe(v.array(v.picklist([...watchedConditions, ...eventKindWords])), v.minLength(1)),
  exec: v.pipe(v.array(v.pipe(v.string(), v.nonEmpty())), v.minLength(1)),
});

/** One block, or several. */
export const notifyField = v.optional(
  v.pipe(
    v.unknown(),
    v.transform((blocks) => (Array.isArray(blocks) ? (blocks as unknown[]) : [blocks])),
    v.array(rule),
  ),
  [],
);

const running = new Set<number>();

/** A program that the daemon runs for the user now. What it calls, a person calls. */
export function isUsersProgram(pid: number): boolean {
  return running.has(pid);
}

/** Rejects with what it wrote to stderr where it ends with another status than 0. */
export function programRunner(env: Env, cwd: string) {
  return async (exec: readonly string[], input: string): Promise<void> => {
    const { execTimeoutMs, execOutputBytesMax } = limits.automation;
    let pid: number | undefined;
    const ended = await run([...exec], {
      started(started) {
        pid = started;
        running.add(started);
      },
      timeoutMs: execTimeoutMs,
      bytesMax: execOutputBytesMax,
      stdin: input,
      env,
      cwd,
    }).finally(() => pid !== undefined && running.delete(pid));
    if (ended.code === 0) return;
    const why = ended.timedOut
      ? `did not end within ${execTimeoutMs / 1000} s`
      : `ended with ${ended.code ?? ended.signal}`;
    fail("internal", `${exec[0]} ${why}${ended.stderr.trim() === "" ? "" : `: ${ended.stderr.trim()}`}`);
  };
}
