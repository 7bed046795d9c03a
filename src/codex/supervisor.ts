/** Keeps one child running: starts it, pings it, starts it again, and says why not. All of it is one loop. */

import { DispatchError, errorMessage } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { CodexState } from "../contract/words.ts";
import type { AgentSink, AgentStatus } from "../core/model/ports/agent.ts";
import { backoff } from "./backoff.ts";
import { downError } from "./errors.ts";
import { isNewer, type Lack, lackWords, testedWords, upgradeFor } from "./features.ts";
import { type ChildSession, startSession, type World } from "./life.ts";
import { keepPinging } from "./ping.ts";
import { programWatch } from "./program.ts";
import { signal } from "./signal.ts";

export interface Supervisor {
  /** In the background; a second call does nothing. */
  start(): void;
  status(): AgentStatus;
  ready(waitMs: number): Promise<ChildSession>;
  /** The life that takes calls now; throws `agent_down`, not sent. */
  running(): ChildSession;
  retry(): void;
  renew(words: string): Promise<void>;
  close(): Promise<void>;
}

export interface Supervised extends Omit<World, "warned" | "garbage"> {
  executable(): Promise<string>;
  random(): number;
}

type LastError = NonNullable<AgentStatus["last_error"]>;

/** How one attempt ended. */
type Ending =
  /** There was nothing to start, it was too old, or its birth could not be stored. */
  | { kind: "absent"; error: LastError }
  | { kind: "failed"; error: LastError }
  | { kind: "refused"; error: LastError }
  /** It had been up. */
  | { kind: "lost"; error: LastError };

const closed: Ending = { kind: "absent", error: { message: "codex was stopped", hint: null } };

export function supervisor(world: Supervised): Supervisor {
  const { clock, log } = world;
  const pauses = backoff(world.random);
  const changed = signal();
  let life: ChildSession | undefined;
  let loop: Promise<void> | undefined;
  let pause = new AbortController();
  let closing = false;
  let lives = 0;
  /** Of an executable that was too old: it is not started again while it is the same. */
  let tooOld: { lacks: readonly Lack[]; error: LastError } | undefined;
  const now: AgentStatus = {
    state: "starting",
    pid: null,
    epoch: null,
    version: null,
    codex_home: null,
    restarts: 0,
    last_error: null,
    starting_since: null,
    starting_ms: null,
    retry_at: null,
    garbage_lines: 0,
    warnings: [],
    lacks: [],
    program: "same",
    advice: "",
  };

  /** Of the running session; monotonic ms. */
  let startedAt = 0;
  const program = programWatch(world.executable);

  const enter = (state: CodexState, more: Partial<AgentStatus> = {}) => {
    Object.assign(now, { retry_at: null, ...more, state });
    changed.fire();
  };

  const warned = (words: string) => {
    if (now.warnings.includes(words)) return;
    now.warnings.push(words);
    if (now.warnings.length > limits.codex.warningsMax) now.warnings.shift();
    log.warn("codex warns", { words });
  };

  /** The core's sink, and the moment of the end: nobody is given a life that is over. */
  const sink: AgentSink = {
    onSpawn: (child) => world.sink.onSpawn(child),
    onReady: (epoch, hello) => world.sink.onReady(epoch, hello),
    onEvents: (epoch, events) => world.sink.onEvents(epoch, events),
    onExit(epoch, words, isLeft) {
      life = undefined;
      enter("starting", { pid: null, epoch: null, last_error: { message: words, hint: null } });
      const isExplained = world.sink.onExit(epoch, words, isLeft);
      if (isExplained) pauses.reset();
      return isExplained;
    },
  };

  const liveOnce = async (): Promise<Ending> => {
    let mine: ChildSession;
    try {
      const executable = await world.executable();
      if (tooOld && (await world.capabilities(executable)) === tooOld.lacks)
        return { kind: "absent", error: tooOld.error };
      tooOld = undefined;
      now.warnings = [];
      if (closing) return closed;
      life = mine = startSession({ ...world, sink, warned, garbage: () => now.garbage_lines++ }, executable);
    } catch (thrown) {
      return { kind: "absent", error: lastError(thrown) };
    }
    startedAt = clock.monotonic();
    program.forget();
    const spawned = { pid: mine.pid, epoch: mine.epoch, starting_since: clock.now() };
    Object.assign(now, { ...spawned, restarts: lives++ });
    const started = await mine.started;
    now.starting_since = null;
    if (started.kind === "up" && !closing) {
      const lacks = started.lacks.map((lack) => lackWords(started.hello.version, lack));
      for (const words of lacks) log.warn(words);
      const { version } = started.hello;
      // Once a start, and no state of the daemon: it is most likely well.
      if (isNewer(version)) log.info(`codex ${version} is newer than what ${testedWords}`);
      enter("running", { ...started.hello, lacks, advice: upgradeFor(version), last_error: null });
      keepPinging(mine, clock).catch((thrown: unknown) =>
        log.error("codex is not pinged any more", { thrown }),
      );
    }
    const words = await mine.exited;
    if (started.kind === "up") return { kind: "lost", error: { message: words, hint: null } };
    const error = lastError(started.error);
    if (started.kind !== "too_old") return { kind: started.kind, error };
    tooOld = { lacks: started.lacks, error };
    return { kind: "absent", error };
  };

  /** What follows an ending: the state meanwhile, and how long. No time at all means: until `retry`. */
  const rest = async ({ kind, error }: Ending) => {
    log.warn("codex is not running", { kind, error: error.message });
    const crash = kind === "failed" || kind === "lost" ? pauses.crashed(clock.monotonic()) : undefined;
    const ms = kind === "refused" ? undefined : (crash ?? pauses.absent()).ms;
    pause = new AbortController();
    enter(kind === "lost" && !crash?.circuitOpen ? "starting" : "degraded", {
      last_error: error,
      retry_at: ms === undefined ? null : clock.now() + ms,
    });
    await (ms === undefined ? abortOf(pause.signal) : clock.sleep(ms, pause.signal));
  };

  /** A bug here must not be the last that is heard of Codex: the child is ended, and the next one started. */
  const broken = async (thrown: unknown): Promise<Ending> => {
    log.error("the start of codex failed by a bug", { thrown });
    await life
      ?.kill("its start failed by a bug")
      .catch((failed: unknown) => log.error("codex could not be ended", { thrown: failed }));
    return { kind: "failed", error: lastError(thrown) };
  };

  const run = async () => {
    while (!closing) {
      const ending = await liveOnce().catch(broken);
      if (closing) break;
      await rest(ending);
      if (!closing) enter("starting", { last_error: now.last_error });
    }
    enter("stopped");
  };

  const down = (): DispatchError => {
    if (now.state === "stopped" || closing) return downError("codex was stopped", "not_sent", "dispatch up");
    const why = now.last_error?.message ?? "codex is still starting";
    return downError(why, "not_sent", now.last_error?.hint);
  };

  return {
    start() {
      loop ??= run().catch((thrown: unknown) => log.error("codex is not supervised any more", { thrown }));
    },
    status: () => ({
      ...now,
      warnings: [...now.warnings],
      starting_ms: now.starting_since === null ? null : clock.monotonic() - startedAt,
      program: life === undefined ? "same" : program.of(life.pid),
    }),
    async ready(waitMs) {
      const until = clock.monotonic() + waitMs;
      while (now.state === "starting") {
        const left = until - clock.monotonic();
        if (left <= 0) break;
        const patience = new AbortController();
        await Promise.race([changed.next(), clock.sleep(left, patience.signal)]);
        patience.abort();
      }
      if (now.state === "running" && life !== undefined) return life;
      throw down();
    },
    running() {
      if (now.state === "running" && life !== undefined) return life;
      throw down();
    },
    async renew(words) {
      if (now.state !== "running" || life === undefined) return;
      log.info("codex is renewed", { words });
      pauses.reset();
      await life.kill(words);
    },
    retry() {
      pauses.reset();
      if (now.state === "degraded") enter("starting");
      pause.abort();
      // One that has answered nothing yet may never do: another one is started in its place.
      if (now.starting_since === null) return;
      life
        ?.kill("it was replaced before it answered initialize")
        .catch((thrown: unknown) => log.error("codex could not be ended", { thrown }));
    },
    async close() {
      closing = true;
      pause.abort();
      await life?.end();
      await loop;
      enter("stopped");
    },
  };
}

function lastError(thrown: unknown): LastError {
  return { message: errorMessage(thrown), hint: thrown instanceof DispatchError ? thrown.hint : null };
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
