/** The whole product without a process: registry in memory, the model of Codex, a clock that tests choose. */
import type { Clock } from "../../src/base/clock.ts";
import { systemClock } from "../../src/base/clock.ts";
import { fail } from "../../src/base/error.ts";
import { limits } from "../../src/base/limits.ts";
import type { Log } from "../../src/base/log.ts";
import { keyedMutex } from "../../src/base/mutex.ts";
import { pathsOf } from "../../src/base/paths.ts";
import { newId, newRef, systemRandom } from "../../src/base/random.ts";
import { type Engine, engineOf } from "../../src/core/engine.ts";
import { blame } from "../../src/core/loading/blame.ts";
import type { ConfigFiles, Tables } from "../../src/core/model/config.ts";
import type { CoreDeps, Policy } from "../../src/core/model/deps.ts";
import { journal } from "../../src/core/model/journal.ts";
import { live } from "../../src/core/model/live.ts";
import type { AgentSink } from "../../src/core/model/ports/agent.ts";
import type { RelayPort } from "../../src/core/model/ports/relay.ts";
import type { MessageId } from "../../src/core/model/ports/rows.ts";
import type { Store } from "../../src/core/model/ports/store.ts";
import type { Rules } from "../../src/core/model/ruling.ts";
import { auditRow } from "../../src/daemon/audit.ts";
import { authorise } from "../../src/daemon/authorise.ts";
import { callsOf } from "../../src/daemon/call.ts";
import { toolRunner } from "../../src/daemon/tools/runner.ts";
import type { Ctx } from "../../src/ops/ctx.ts";
import { index } from "../../src/ops/index.ts";
import type { Caller } from "../../src/ops/protocol.ts";
import { quietLog } from "../support/codex-sink.ts";
import { memoryStore } from "../support/memorystore.ts";
import { type ModelAgent, modelAgent } from "./model.ts";

export interface TestWorld extends CoreDeps {
  engine: Engine;
  agent: ModelAgent;
  ctx(over?: Partial<Ctx>): Ctx;
  end(): Promise<void>;
  /** kill -9: nothing of it runs on, whatever it was waiting for. */
  abandon(): void;
}

export interface WorldOptions {
  clock?: Clock;
  store?: Store;
  log?: Log;
  schedule?(fn: () => void): void;
  random?(): number;
  /** How many steps of others a call to Codex waits before it is carried out. */
  pause?(): number;
  policy?: Partial<Policy>;
  relay?: RelayPort;
  /** What a notification's program does. */
  runProgram?(exec: readonly string[], input: string): Promise<void>;
  config?: { own?: Partial<Tables>; repository?: ConfigFiles["repository"] };
  /** What stands in files, by path. */
  texts?: Record<string, string>;
  /** Files of rules. */
  rules?: Record<string, Rules>;
  /** What Codex has on disk. */
  threads?: ModelAgent["threads"];
}

const noTables: Tables = { file: "/home/user/.dispatch/config.toml", defaults: {}, presets: {} };

export const cli: Caller = { kind: "cli", thread_id: null, cwd: "/repo" };

const home = "/home/user/.dispatch";

const plainPolicy: Policy = {
  releaseAfter: [],
  keepDays: 90,
  notify: [],
  attachedQueue: false,
  maxRunningTurns: null,
  usageLimits: { continue: "queue", nudge: null },
  budgets: {
    turns: null,
    turnsPerCwd: null,
    tokensPerDay: null,
    tokensPerThread: null,
    pauseAtPercent: null,
  },
  indexedBytesMax: limits.search.indexedBytesMax,
  rules: { requests: "ask", rules: [] },
  agents: "guarded",
  hosts: [],
  requestTimeoutMs: null,
  relay: null,
};

export function testWorld(options: WorldOptions = {}): TestWorld {
  const { clock = systemClock, schedule = (fn) => void setImmediate(fn), random = systemRandom } = options;
  const store = options.store ?? memoryStore();
  const locks = keyedMutex();
  let isAbandoned = false;
  let engine: Engine;
  const sink: AgentSink = {
    onSpawn: (child) => engine.sink.onSpawn(child),
    onReady: (epoch, hello) => engine.sink.onReady(epoch, hello),
    onEvents: (epoch, events) => engine.sink.onEvents(epoch, events),
    onExit: (epoch, reason, isLeft) => engine.sink.onExit(epoch, reason, isLeft),
  };
  const mortal: Clock = {
    ...clock,
    after: (ms, fn) => clock.after(ms, () => isAbandoned || fn()),
    sleep: (ms, signal) =>
      new Promise((resolve) => void clock.sleep(ms, signal).then(() => isAbandoned || resolve())),
  };
  const agent = modelAgent({
    sink,
    schedule: (fn) => schedule(() => isAbandoned || fn()),
    now: clock.now,
    ...(options.threads ? { threads: options.threads } : {}),
    ...(options.pause ? { pause: options.pause } : {}),
  });
  const world: CoreDeps = {
    store,
    agent,
    tools: toolRunner(index, async () => call),
    relay: options.relay ?? { open: async () => fail("internal", "this world has no relay") },
    clock: mortal,
    log: options.log ?? quietLog,
    journal: journal(store, mortal, options.log ?? quietLog),
    live: live(mortal),
    blame: blame(),
    locked: (ref, fn) => locks.run(ref, fn),
    mint: { ref: () => newRef(random), id: () => newId(clock.now(), random) as MessageId },
    policy: () => ({ ...plainPolicy, ...options.policy }),
    files: {
      folderFault: (path) =>
        path.startsWith("/repo") || path === "/home/user" || path === "/elsewhere"
          ? null
          : path === "/closed"
            ? "closed"
            : "missing",
      repositoryOf: (path) => (path === "/repo" || path.startsWith("/repo/") ? "/repo" : null),
      holdsOwnFiles: (folder) => `${home}/`.startsWith(`${folder}/`),
      isInside: (path, root) => path === root || path.startsWith(`${root}/`),
      readText: (path) => options.texts?.[path] ?? fail("usage", `no ${path}`),
    },
    home: "/home/user",
    runProgram: options.runProgram ?? (async () => {}),
    rulesIn: (file) => options.rules?.[file] ?? fail("usage", `no ${file}`),
    config: () => ({
      own: { ...noTables, ...options.config?.own },
      repository: options.config?.repository ?? null,
    }),
  };
  engine = engineOf(world);
  const call = callsOf({
    index,
    ctxOf: (caller, signal, emit) => ctx({ caller, signal, emit }),
    authorise: (called) => authorise(engine.core, called),
    audit: (called) => engine.audit(auditRow(engine.core, called)),
    log: { ...world.log, faults: () => [], faultId: () => "bug" },
    tally: { calls: 0 },
  });
  const ctx: TestWorld["ctx"] = (over = {}) => ({
    core: engine.core,
    clock,
    caller: cli,
    signal: new AbortController().signal,
    emit: async () => {},
    host: {
      pid: 1,
      version: "0.0.0",
      startedAt: clock.now(),
      uptimeMs: () => clock.monotonic(),
      paths: pathsOf({ DISPATCH_HOME: home }),
      startedBy: { user: "user", cwd: "/repo", terminal: false, by: null, path: null },
      rssBytes: () => 0,
      calls: () => 0,
      stop() {},
      faults: () => [],
      previous: null,
      readFar: async () => null,
      logTail: () => [],
    },
    ...over,
  });
  return {
    ...world,
    engine,
    agent,
    ctx,
    abandon() {
      isAbandoned = true;
      agent.forget();
    },
    async end() {
      await engine.end();
    },
  };
}
