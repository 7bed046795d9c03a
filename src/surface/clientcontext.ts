/** Makes the `ClientCtx` for an op that runs in the client's process. */
import { closeSync, constants } from "node:fs";
import { writeFile } from "node:fs/promises";
import { systemClock } from "../base/clock.ts";
import { DispatchError, errorMessage, fail } from "../base/error.ts";
import { readLock } from "../base/flock.ts";
import { instanceIn, killInstance } from "../base/instance.ts";
import { limits } from "../base/limits.ts";
import { openOwnOrFail, removeOwn } from "../base/ownfile.ts";
import type { Paths } from "../base/paths.ts";
import { isTerminal, stdinFd, stdoutFd } from "../base/stdio.ts";
import type { ClientCtx } from "../ops/ctx.ts";
import type { Caller } from "../ops/protocol.ts";
import { refuseForeignHome, startDaemon } from "./autostart.ts";
import type { SurfaceDeps } from "./deps.ts";
import { whenSandboxed } from "./sandboxed.ts";
import { jsonSchemas } from "./schema.ts";
import type { Session } from "./session.ts";

export interface ClientContextDeps {
  deps: SurfaceDeps;
  paths: Paths;
  caller: Caller;
  session: Session;
  signal: AbortSignal;
  confirm(question: string): Promise<boolean>;
  note(line: string): void;
}

export function clientCtx({
  deps,
  paths,
  caller,
  session,
  signal,
  confirm,
  note,
}: ClientContextDeps): ClientCtx {
  const clearStopped = () => changing(paths.stopped, () => removeOwn(paths.stopped));

  return {
    paths,
    clock: systemClock,
    caller,
    signal,
    confirm,
    note,
    call(op, input) {
      const row = deps.index.find(({ name }) => name === op);
      if (!row) return fail("internal", `no op is called ${op}`);
      return session.call({ ...row, start: "never" }, input, { caller, repeat: "no", signal });
    },
    async start() {
      const sandboxed = whenSandboxed();
      if (sandboxed) throw sandboxed;
      refuseForeignHome(paths);
      clearStopped();
      // The daemon opens its socket before its registry, so only an answer proves that it is up.
      for (let tries = 1; ; tries++) {
        const { connection, status, whyDied } = await startDaemon(paths, deps);
        const answer = await connection.call({ op: "daemon.status", schema: "", input: {}, caller });
        connection.close();
        if ("result" in answer) return { status, daemon: answer.result };
        if ("error" in answer) throw DispatchError.fromBody(answer.error);
        const why = await whyDied();
        if (why) throw why;
        if (tries === limits.client.callTriesMax)
          fail("daemon_down", `the connection to the daemon was lost ${tries} times before it answered`, {
            hint: "dispatch doctor",
          });
      }
    },
    async gone(waitMs) {
      const until = systemClock.monotonic() + waitMs;
      while (readLock(paths.lock).held) {
        if (systemClock.monotonic() >= until) return false;
        await systemClock.sleep(limits.client.autostartPollMs);
      }
      return true;
    },
    holder() {
      const { held, text } = readLock(paths.lock);
      const instance = held ? instanceIn(text) : undefined;
      return instance && { ...instance, kill: () => killInstance(instance) };
    },
    clearStopped,
    markStopped() {
      const sandboxed = whenSandboxed();
      if (sandboxed) throw sandboxed;
      refuseForeignHome(paths);
      closeSync(openOwnOrFail(paths.stopped, constants.O_CREAT | constants.O_WRONLY, "the stop marker"));
    },
    hasTerminal: isTerminal(stdinFd) && isTerminal(stdoutFd),
    runCodex: (args) => deps.codex(args),
    async schemas() {
      const offered = deps.index.filter((row) => !row.hidden);
      const ops = await Promise.all(offered.map(async (row) => (await row.load()).default));
      return ops.map((op) => ({
        command: op.cli,
        op: op.name,
        intent: op.intent,
        summary: op.summary,
        ...jsonSchemas(op),
      }));
    },
    completion: async (shell) => (await import("./cli/complete/scripts.ts")).scripts[shell],
    doctor: (input) => deps.doctor(paths, input),
    registry: () => deps.registry(paths),
    plugin: () => deps.plugin(paths),
    service: () => deps.service(paths),
    write: (path, text) =>
      writeFile(path, text, { mode: 0o600 }).catch((cause) => refuseToWrite(path, cause)),
    show: (path) => deps.show(path),
  };
}

function refuseToWrite(path: string, cause: unknown): never {
  return fail("storage", `could not write ${path}: ${errorMessage(cause)}`, {
    hint: "choose a path that you can write",
    cause,
  });
}

function changing(path: string, change: () => void): void {
  try {
    change();
  } catch (cause) {
    if (cause instanceof DispatchError) throw cause;
    fail("storage", `could not change ${path}: ${errorMessage(cause)}`, { cause });
  }
}
