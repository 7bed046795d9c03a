/** `[[notify]]`: a program of the user's that is told of events, and how it is run. */
import * as v from "valibot";
import { fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { type Env, run } from "../base/spawn.ts";
import { watchableKinds } from "../contract/events.ts";
import { watchedConditions } from "../contract/words.ts";
import type { Notice } from "../core/automation/notify.ts";

const rule = v.strictObject({
  kinds: v.pipe(v.array(v.picklist([...watchedConditions, ...watchableKinds])), v.minLength(1)),
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

/** The same as its standard input, for a program that reads no JSON. */
function variablesOf(input: string): Env {
  const { kind, summary, command, thread } = JSON.parse(input) as Notice;
  return {
    DISPATCH_KIND: kind,
    DISPATCH_SUMMARY: summary,
    DISPATCH_COMMAND: command,
    DISPATCH_THREAD: thread?.ref ?? "",
  };
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
      env: { ...env, ...variablesOf(input) },
      cwd,
    }).finally(() => pid !== undefined && running.delete(pid));
    if (ended.code === 0) return;
    const why = ended.timedOut
      ? `did not end within ${execTimeoutMs / 1000} s`
      : `ended with ${ended.code ?? ended.signal}`;
    fail("internal", `${exec[0]} ${why}${ended.stderr.trim() === "" ? "" : `: ${ended.stderr.trim()}`}`);
  };
}
