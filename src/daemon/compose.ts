/** The only composition root: it connects registry, engine and Codex. */
import type { Clock } from "../base/clock.ts";
import { folderFault, isThere } from "../base/directory.ts";
import { DispatchError, fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { keyedMutex } from "../base/mutex.ts";
import type { Paths } from "../base/paths.ts";
import { newId, newRef, systemRandom } from "../base/random.ts";
import { repositoryOf } from "../base/repository.ts";
import { version } from "../base/version.ts";
import { codexAgent } from "../codex/agent.ts";
import { findCodex } from "../codex/find.ts";
import type { Core } from "../core/core.ts";
import { type Engine, engineOf } from "../core/engine.ts";
import { blame } from "../core/loading/blame.ts";
import { journal } from "../core/model/journal.ts";
import { live } from "../core/model/live.ts";
import type { AgentSink } from "../core/model/ports/agent.ts";
import type { MessageId } from "../core/model/ports/rows.ts";
import type { ToolRunner } from "../core/model/ports/tool.ts";
import type { Host } from "../ops/ctx.ts";
import { openStore } from "../store/store.ts";
import { auditRow } from "./audit.ts";
import type { Audited } from "./call.ts";
import { configReader, configuredCodex, readConfig, readTextFile } from "./config.ts";
import { holdsOwnFiles, isWithin } from "./containment.ts";
import { programRunner } from "./notify.ts";
import { endOrphans, refuseWhileOrphansLive } from "./orphan.ts";
import { policyReader } from "./policy.ts";
import { rulesOf } from "./rules.ts";
import { configFiles, tablesOf } from "./tables.ts";

export interface Composition {
  core: Core;
  audit(call: Audited): void;
  close(): Promise<void>;
}

export async function compose(input: {
  paths: Paths;
  log: Log;
  clock: Clock;
  env: Record<string, string | undefined>;
  host: Host;
  tools: ToolRunner;
}): Promise<Composition> {
  const { paths, log, clock, env } = input;
  const store = openStore(paths.db, clock.now());
  const config = configReader(paths.config);
  const locks = keyedMutex();
  // Agent and engine need each other: the sink forwards to the engine, which exists before the child is started.
  let engine: Engine;
  const sink: AgentSink = {
    onSpawn: (child) => engine.sink.onSpawn(child),
    onReady: (epoch, hello) => engine.sink.onReady(epoch, hello),
    onEvents: (epoch, events) => engine.sink.onEvents(epoch, events),
    onExit: (epoch, reason, isLeft) => engine.sink.onExit(epoch, reason, isLeft),
  };
  const agent = codexAgent({
    sink,
    clock,
    log,
    env,
    version,
    lacksFile: `${paths.home}/codex-lacks.json`,
    random: systemRandom,
    // Called before each start. An error prevents the start, is reported, and the start is tried again later.
    executable: async () => {
      await refuseWhileOrphansLive(store.epochs.unended(), clock);
      return findCodex({
        named: env["DISPATCH_CODEX"],
        configured: configuredCodex(paths.config),
        path: env["PATH"],
      }).catch((thrown) => {
        // The configuration is read at each start of Codex. The environment is fixed since the start of the daemon.
        const isFromEnvironment = env["DISPATCH_CODEX"] !== undefined || !configuredCodex(paths.config);
        throw isFromEnvironment ? withEnvironment(thrown, input.host.startedBy) : thrown;
      });
    },
  });
  engine = engineOf({
    store,
    agent,
    tools: input.tools,
    relay: {
      // Loaded here, so that a daemon without a relay has none of it.
      async open(settings, home, desk) {
        const { natsRelay } = await import("../relay/nats.ts");
        return natsRelay({ clock, log }).open(settings, home, desk);
      },
    },
    clock,
    log,
    journal: journal(store, clock, log),
    live: live(clock),
    blame: blame(),
    locked: (ref, fn) => locks.run(ref, fn),
    mint: { ref: () => newRef(systemRandom), id: () => newId(clock.now(), systemRandom) as MessageId },
    policy: policyReader(config, paths.config, env["HOME"] ?? "/"),
    home: env["HOME"] ?? "/",
    runProgram: programRunner(env, env["HOME"] ?? "/"),
    rulesIn(file) {
      if (!isThere(file)) fail("usage", `there is no ${file}`, { hint: "--rules FILE" });
      return rulesOf(readConfig(file).policy);
    },
    config(directory) {
      const { defaults, presets, policy } = config();
      const homes = { home: env["HOME"] ?? "/", dispatch: paths.home };
      return configFiles(
        tablesOf(paths.config, { defaults, presets }, homes.home),
        policy.trusted,
        directory,
        homes,
      );
    },
    files: {
      folderFault,
      repositoryOf,
      isInside: isWithin,
      holdsOwnFiles: (folder) => holdsOwnFiles(paths, folder),
      readText: readTextFile,
    },
  });
  engine.begin();

  const closing = new AbortController();
  const started = untilDone(
    async () => {
      await endOrphans(store.epochs.unended(), sink.onExit, clock, log);
      agent.start();
    },
    { clock, log, signal: closing.signal },
  );

  return {
    core: engine.core,
    audit: (call) => engine.audit(auditRow(engine.core, call)),
    async close() {
      closing.abort();
      await started;
      engine.closing();
      await agent.close();
      await engine.end();
      store.close();
    },
  };
}

/** The daemon searches Codex in its own environment: adds where that comes from and how to change it. */
function withEnvironment(thrown: unknown, { by, path }: Host["startedBy"]): unknown {
  if (!(thrown instanceof DispatchError)) return thrown;
  const where = `the daemon was started by ${by ?? "dispatchd"}, with PATH=${path ?? ""}`;
  return new DispatchError(thrown.code, `${thrown.message}; ${where}`, {
    hint: `${thrown.hint ?? "dispatch doctor"}; then, in a shell where codex works: dispatch down, then dispatch up`,
    ...(thrown.data ? { data: thrown.data } : {}),
    cause: thrown,
  });
}

/** Repeats the work until it succeeds: a full disk delays the start of Codex, but does not prevent it. */
async function untilDone(
  work: () => Promise<void>,
  { clock, log, signal }: { clock: Clock; log: Log; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
      return;
    } catch (thrown) {
      log.error("Codex was not started", { thrown });
      await clock.sleep(limits.codex.backoffMaxMs, signal);
    }
  }
}
