/** One life of the app-server: born, initialized, listened to, gone. An epoch is the number of one. */
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
import { type Rpc, rpc } from "./rpc.ts";

export interface ChildSession {
  epoch: Epoch;
  pid: number;
  rpc: Rpc;
  memory: StreamMemory;
  started: Promise<Started>;
  /** What this Codex has not; known once it is up. */
  lacks(): readonly Lack[];
  /** Why it is gone, once `sink.onExit` was told. Never rejects. */
  exited: Promise<string>;
  end(): Promise<void>;
  kill(words: string): Promise<void>;
}

/** How its start went; unless it is `up`, it is ended and `exited` follows. */
export type Started =
  | { kind: "up"; hello: Hello; lacks: readonly Lack[] }
  /** `initialize` was not answered. */
  | { kind: "failed"; error: DispatchError }
  /** The registry could not take its start. */
  | { kind: "absent"; error: DispatchError }
  /** It lacks what delivery stands on. */
  | { kind: "too_old"; error: DispatchError; lacks: readonly Lack[] }
  /** `sink.onReady` will not have this child. */
  | { kind: "refused"; error: DispatchError };

/** What a life stands in. */
export interface World {
  sink: AgentSink;
  clock: Clock;
  log: Log;
  env: Env;
  /** Ours, for `clientInfo`. */
  version: string;
  taps: Taps;
  warned(words: string): void;
  garbage(): void;
  /** Asked beside the start. */
  capabilities: Capabilities;
}

export function startSession(world: World, executable: string): ChildSession {
  const { sink, clock, log } = world;
  const calls = rpc({ write: (line) => child.write(line), clock });
  const memory = streamMemory();
  let garbageLines = 0;
  const garbage = () => {
    garbageLines++;
    world.garbage();
  };
  const heard = incoming({
    ...world,
    rpc: calls,
    memory,
    garbage,
    batch: (events) => sink.onEvents(epoch, events),
  });
  const child = startChild({ executable, env: world.env, clock, ...heard });
  const epoch = born();

  /** Its end is waited for elsewhere; here only a failure to end it would be lost. */
  function kill(words: string): void {
    child.kill(words).catch((thrown: unknown) => log.error("codex could not be ended", { epoch, thrown }));
  }

  /** Committed before the first byte is written: whatever becomes of us, this child can be told for sure. */
  function born(): Epoch {
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
  const begin = async (): Promise<Started> => {
    // Handled where it is made: it may fail long before it is waited for.
    const telling = world.capabilities(executable).catch((thrown: unknown) => {
      log.error("what this codex lacks could not be found out", { thrown });
      return undefined;
    });
    const { pid } = child.identity;
    const hello = await initialize(calls, world, { pid, garbage: () => garbageLines });
    if (hello instanceof DispatchError) {
      // Its own last words say more than "it ended".
      kill(errorMessage(hello));
      return { kind: "failed", error: hello };
    }
    lacks = (await telling) ?? [];
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
      // A full disk passes by itself; another home of Codex does not.
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
    started: begin(),
    lacks: () => lacks,
    exited,
    end: child.end,
    kill: child.kill,
  };
}

async function initialize(
  calls: Rpc,
  { version, clock, log }: World,
  signs: Signs,
): Promise<Hello | DispatchError> {
  const settled = new AbortController();
  try {
    const timeoutMs = limits.codex.startMaxMs;
    const answer = calls.call("initialize", initializeParams(version), { timeoutMs });
    return helloOf(await Promise.race([answer, idled(signs, clock, log, settled.signal)]));
  } catch (thrown) {
    return downError(
      `codex did not start: ${errorMessage(thrown)}`,
      "not_sent",
      "dispatch doctor looks into it",
    );
  } finally {
    settled.abort();
  }
}

interface Signs {
  pid: number;
  /** Lines that could not be read, so far. */
  garbage(): number;
}

/** Rejects when the child has hardly worked for as long as a start may take, or printed garbage; never resolves. */
async function idled({ pid, garbage }: Signs, clock: Clock, log: Log, signal: AbortSignal): Promise<never> {
  const late = `codex did not answer initialize within ${limits.codex.startTimeoutMs / 1000} s`;
  for (let before = 0; !signal.aborted; ) {
    await clock.sleep(limits.codex.startTimeoutMs, signal);
    const worked = cpuMsOf(pid) ?? 0;
    if (worked - before < limits.codex.startWorkMs) fail("timeout", late);
    if (garbage() > limits.codex.startGarbageMax)
      fail("timeout", `${late}, and printed ${garbage()} lines that are none of its protocol`);
    log.info("codex takes long to start, and works", { pid, cpu_ms: worked });
    before = worked;
  }
  return new Promise(() => {});
}
