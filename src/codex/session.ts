/** One session with an app-server process, from its start to its exit. The epoch is its number. */
import type { Clock } from "../base/clock.ts";
import { DispatchError, errorMessage, fail } from "../base/error.ts";
import { cpuMsOf } from "../base/identity.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Env } from "../base/spawn.ts";
import type { AgentSink, Epoch } from "../core/model/ports/agent.ts";
import type { Capabilities } from "./capabilities.ts";
import { startChild } from "./child.ts";
import { downError } from "./errors.ts";
import { type Lack, tooOldError } from "./features.ts";
import { type Hello, helloOf, initializeParams } from "./hello.ts";
import { incoming, type Taps } from "./incoming.ts";
import { type StreamMemory, streamMemory } from "./memory.ts";
import { type Printed, printed } from "./printed.ts";
import { type Rpc, rpc } from "./rpc.ts";

export interface ChildSession {
  epoch: Epoch;
  pid: number;
  rpc: Rpc;
  memory: StreamMemory;
  printed: Printed;
  started: Promise<Started>;
  /** The features that this Codex lacks. Known once it is up. */
  lacks(): readonly Lack[];
  /** Resolves with the reason of the exit, after `sink.onExit` was called. Never rejects. */
  exited: Promise<string>;
  end(): Promise<void>;
  kill(words: string): Promise<void>;
}

/** The result of the start. Unless it is `up`, the child is ended and `exited` follows. */
export type Started =
  | { kind: "up"; hello: Hello; lacks: readonly Lack[] }
  /** `initialize` was not answered. */
  | { kind: "failed"; error: DispatchError }
  /** The registry could not record the start. */
  | { kind: "absent"; error: DispatchError }
  /** It lacks a vital feature. */
  | { kind: "too_old"; error: DispatchError; lacks: readonly Lack[] }
  /** `sink.onReady` refused this child. */
  | { kind: "refused"; error: DispatchError };

/** What a session needs. */
export interface SessionDeps {
  sink: AgentSink;
  clock: Clock;
  log: Log;
  env: Env;
  /** The version of dispatch, for `clientInfo`. */
  version: string;
  taps: Taps;
  warned(words: string): void;
  garbage(): void;
  /** Read in parallel with the start. */
  capabilities: Capabilities;
}

export function startSession(deps: SessionDeps, executable: string): ChildSession {
  const { sink, clock, log } = deps;
  const calls = rpc({ write: (line) => child.write(line), clock });
  const memory = streamMemory();
  const output = printed(clock.monotonic);
  let garbageLines = 0;
  const garbage = (line?: Uint8Array) => {
    garbageLines++;
    if (line) output.stdout(line);
    deps.garbage();
  };
  const handlers = incoming({
    ...deps,
    rpc: calls,
    memory,
    garbage,
    batch: (events) => sink.onEvents(epoch, events),
  });
  const child = startChild({ executable, env: deps.env, clock, printed: output, ...handlers });
  const epoch = recordStart();

  /** Its exit is awaited elsewhere. A failure to end it is only logged here. */
  function kill(words: string): void {
    child.kill(words).catch((thrown: unknown) => log.error("codex could not be ended", { epoch, thrown }));
  }

  /** Committed before the first byte is written: the next daemon can identify this child if this one dies. */
  function recordStart(): Epoch {
    try {
      return sink.onSpawn(child.identity);
    } catch (thrown) {
      child
        .kill("its start was not recorded")
        .catch((failed: unknown) =>
          log.error("codex could not be ended", { pid: child.identity.pid, thrown: failed }),
        );
      throw thrown;
    }
  }

  const exited = child.gone.then((words) => {
    calls.close(words);
    try {
      sink.onExit(epoch, words, child.isLeft());
    } catch (thrown) {
      log.error("the end of codex was not stored", { epoch, thrown });
    }
    return words;
  });

  let lacks: readonly Lack[] = [];
  const initialized = async (): Promise<Started> => {
    // The error is handled here: it may occur long before the promise is awaited.
    const reading = deps.capabilities(executable).catch((thrown: unknown) => {
      log.error("the features of codex could not be read", { thrown });
      return undefined;
    });
    const { pid } = child.identity;
    const hello = await initialize(calls, deps, { pid, garbage: () => garbageLines, printed: output });
    if (hello instanceof DispatchError) {
      // The error of `initialize` explains more than "codex was killed".
      kill(errorMessage(hello));
      return { kind: "failed", error: hello };
    }
    lacks = (await reading) ?? [];
    const tooOld = tooOldError(hello.version, lacks);
    if (tooOld) {
      kill(tooOld.message);
      return { kind: "too_old", error: tooOld, lacks };
    }
    try {
      sink.onReady(epoch, hello);
    } catch (thrown) {
      const error = thrown instanceof DispatchError ? thrown : downError(errorMessage(thrown), "not_sent");
      kill(error.message);
      // A full disk may recover by itself. A different home of Codex does not.
      return { kind: error.code === "storage" ? "absent" : "refused", error };
    }
    calls.notify("initialized");
    return { kind: "up", hello, lacks };
  };

  return {
    epoch,
    pid: child.identity.pid,
    rpc: calls,
    memory,
    printed: output,
    started: initialized(),
    lacks: () => lacks,
    exited,
    end: child.end,
    kill: child.kill,
  };
}

async function initialize(
  calls: Rpc,
  { version, clock, log }: SessionDeps,
  signs: Signs,
): Promise<Hello | DispatchError> {
  const settled = new AbortController();
  try {
    const timeoutMs = limits.codex.startMaxMs;
    const answer = calls.call("initialize", initializeParams(version), { timeoutMs });
    return helloOf(await Promise.race([answer, idled(signs, clock, log, settled.signal)]));
  } catch (thrown) {
    return downError(`codex did not start: ${errorMessage(thrown)}`, "not_sent", "dispatch doctor");
  } finally {
    settled.abort();
  }
}

interface Signs {
  pid: number;
  /** The number of lines so far that could not be read. */
  garbage(): number;
  printed: Printed;
}

/**
 * Rejects when the child used almost no CPU time within `limits.codex.startTimeoutMs`, or printed garbage. Never resolves.
 * A child that works may take long (facts F65).
 */
async function idled(
  { pid, garbage, printed }: Signs,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
): Promise<never> {
  const late = `codex did not answer initialize within ${limits.codex.startTimeoutMs / 1000} s`;
  for (let before = 0; !signal.aborted; ) {
    await clock.sleep(limits.codex.startTimeoutMs, signal);
    const worked = cpuMsOf(pid) ?? 0;
    if (worked - before < limits.codex.startWorkMs) fail("timeout", printed.explain(late));
    if (garbage() > limits.codex.startGarbageMax) {
      const lines = `${garbage()} lines that are not of its protocol`;
      fail("timeout", printed.explain(`${late}, and printed ${lines}`));
    }
    log.info("codex is still starting and uses CPU time", { pid, cpu_ms: worked });
    before = worked;
  }
  return new Promise(() => {});
}
