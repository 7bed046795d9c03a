/** Keeps one child running in one loop: starts it, pings it, restarts it, and reports why it does not run. */

import { DispatchError, errorMessage } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { CodexState } from "../contract/words.ts";
import type { AgentSink, AgentStatus } from "../core/model/ports/agent.ts";
import { backoff } from "./backoff.ts";
import { downError } from "./errors.ts";
import { isNewer, type Lack, lackWords, testedWords, upgradeFor } from "./features.ts";
import { keepPinging } from "./ping.ts";
import { programWatch } from "./program.ts";
import { type ChildSession, type SessionDeps, startSession } from "./session.ts";
import { signal } from "./signal.ts";

export interface Supervisor {
  /** Starts the loop in the background. A second call does nothing. */
  start(): void;
  status(): AgentStatus;
  ready(waitMs: number): Promise<ChildSession>;
  /** The running session. Throws `agent_down` with outcome `not_sent`. */
  running(): ChildSession;
  retry(): void;
  renew(words: string): Promise<void>;
  close(): Promise<void>;
}

export interface SupervisorDeps extends Omit<SessionDeps, "warned" | "garbage"> {
  executable(): Promise<string>;
  random(): number;
}

type LastError = NonNullable<AgentStatus["last_error"]>;

/** How one start ended. */
type Ending =
  /** There was nothing to start, it was too old, or its start could not be stored. */
  | { kind: "absent"; error: LastError }
  | { kind: "failed"; error: LastError }
  | { kind: "refused"; error: LastError }
  /** It was up before. */
  | { kind: "lost"; error: LastError };

const closed: Ending = { kind: "absent", error: { message: "codex was stopped", hint: null } };

export function supervisor(deps: SupervisorDeps): Supervisor {
  const { clock, log } = deps;
  const pauses = backoff(deps.random);
  const changed = signal();
  let session: ChildSession | undefined;
  let loop: Promise<void> | undefined;
  let pause = new AbortController();
  let closing = false;
  let starts = 0;
  /** An executable that is too old is not started again until it changes. */
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

  /** The start of the running session, monotonic ms. */
  let startedAt = 0;
  const program = programWatch(deps.executable);

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

  /** Core's sink. It also clears `session` at the exit, so that no caller receives a session that is over. */
  const sink: AgentSink = {
    onSpawn: (child) => deps.sink.onSpawn(child),
    onReady: (epoch, hello) => deps.sink.onReady(epoch, hello),
    onEvents: (epoch, events) => deps.sink.onEvents(epoch, events),
    onExit(epoch, words, isLeft) {
      session = undefined;
      enter("starting", { pid: null, epoch: null, last_error: { message: words, hint: null } });
      const isExplained = deps.sink.onExit(epoch, words, isLeft);
      if (isExplained) pauses.reset();
      return isExplained;
    },
  };

  const runSession = async (): Promise<Ending> => {
    let mine: ChildSession;
    try {
      const executable = await deps.executable();
      if (tooOld && (await deps.capabilities(executable)) === tooOld.lacks)
        return { kind: "absent", error: tooOld.error };
      tooOld = undefined;
      now.warnings = [];
      if (closing) return closed;
      session = mine = startSession(
        { ...deps, sink, warned, garbage: () => now.garbage_lines++ },
        executable,
      );
    } catch (thrown) {
      return { kind: "absent", error: lastError(thrown) };
    }
    startedAt = clock.monotonic();
    program.forget();
    const spawned = { pid: mine.pid, epoch: mine.epoch, starting_since: clock.now() };
    Object.assign(now, { ...spawned, restarts: starts++ });
    const started = await mine.started;
    now.starting_since = null;
    if (started.kind === "up" && !closing) {
      const lacks = started.lacks.map((lack) => lackWords(started.hello.version, lack));
      for (const words of lacks) log.warn(words);
      const { version } = started.hello;
      // Only a log line: a newer Codex most likely works.
      if (isNewer(version)) log.info(`codex ${version} is newer than the tested versions: ${testedWords}`);
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

  /** A bug here must not end the supervision: the child is ended and the next one started. */
  const recoverFromBug = async (thrown: unknown): Promise<Ending> => {
    log.error("the start of codex failed because of a bug", { thrown });
    await session
      ?.kill("its start failed by a bug")
      .catch((failed: unknown) => log.error("codex could not be ended", { thrown: failed }));
    return { kind: "failed", error: lastError(thrown) };
  };

  const run = async () => {
    while (!closing) {
      const ending = await runSession().catch(recoverFromBug);
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
      program: session === undefined ? "same" : program.of(session.pid),
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
      if (now.state === "running" && session !== undefined) return session;
      throw down();
    },
    running() {
      if (now.state === "running" && session !== undefined) return session;
      throw down();
    },
    async renew(words) {
      if (now.state !== "running" || session === undefined) return;
      log.info("codex is renewed", { words });
      pauses.reset();
      await session.kill(words);
    },
    retry() {
      pauses.reset();
      if (now.state === "degraded") enter("starting");
      pause.abort();
      // A child that has not answered `initialize` may never do so: it is replaced by another one.
      if (now.starting_since === null) return;
      session
        ?.kill("it was replaced before it answered initialize")
        .catch((thrown: unknown) => log.error("codex could not be ended", { thrown }));
    },
    async close() {
      closing = true;
      pause.abort();
      await session?.end();
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
