/** `dispatch service`: the daemon as a service of this user, started with each login and after a crash. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { look } from "../../base/directory.ts";
import { inheritedEnv } from "../../base/env.ts";
import { DispatchError, errorMessage, fail } from "../../base/error.ts";
import { readLock } from "../../base/flock.ts";
import { isAlive } from "../../base/identity.ts";
import { instanceIn } from "../../base/instance.ts";
import { limits } from "../../base/limits.ts";
import type { Paths } from "../../base/paths.ts";
import type { Env } from "../../base/spawn.ts";
import { findCodex } from "../../codex/find.ts";
import type { Service, ServiceReport } from "../../ops/ctx.ts";
import { configuredCodex, passedVariables } from "../config.ts";
import { lineOf, type Manager, managerOf, runAll } from "./manager.ts";
import { isSame, programFault, type Recorded, recordIn, recordOf } from "./record.ts";

export interface ServiceDeps {
  env: Env;
  platform: string;
}

/** `argv` starts the daemon. `deps` is a parameter for tests. */
export function serviceOf(
  paths: Paths,
  argv: readonly string[],
  deps: ServiceDeps = { env: inheritedEnv(), platform: process.platform },
): Service {
  const { env, platform } = deps;
  const manager = () => managerOf(platform, env);

  return {
    status: async () => statusOf(paths, manager(), { isAsked: true }),

    async install({ dry_run }) {
      const by = manager();
      if (!dry_run) await by.check();
      refuseOther(by, paths);
      const { recorded, left } = recordOf(paths, {
        env,
        argv,
        passed: passedVariables(paths.config),
        manager: `${by.name} (${by.file})`,
      });
      // Before anything is written: a service that finds no Codex helps nobody.
      await codexOf(recorded, paths);
      const text = by.text(recorded, paths);
      const isRunning = readLock(paths.lock).held;
      const commands = [...by.enable, ...(isRunning ? [] : by.start)];
      if (dry_run) {
        const before = await statusOf(paths, by, { isAsked: false });
        return { ...before, text, commands: commands.map(lineOf), left };
      }
      write(by.file, text);
      await runAll(by.enable, env);
      if (!isRunning) await start(by, paths, env);
      const after = await statusOf(paths, by, { isAsked: true });
      return { ...after, commands: commands.map(lineOf), left };
    },

    async remove({ dry_run }) {
      const by = manager();
      const before = await statusOf(paths, by, { isAsked: false });
      if (before.state === "absent") return before;
      refuseOther(by, paths);
      const commands = [...by.disable, ...by.forget].map(lineOf);
      if (dry_run) return { ...before, commands };
      await by.check();
      await runAll(by.disable, env, { mayBeGone: true });
      rmSync(by.file, { force: true });
      await runAll(by.forget, env);
      return { ...(await statusOf(paths, by, { isAsked: false })), commands };
    },

    async startInstalled() {
      if (platform !== "linux" && platform !== "darwin") return false;
      const by = manager();
      try {
        const recorded = recordAt(by);
        // Another program may be an older one: it would be replaced again by every command of this one.
        if (recorded?.home !== paths.home || !isSame(recorded.program[0]!, argv[0]!)) return false;
        await start(by, paths, env);
        return true;
      } catch {
        // A file that cannot be read is no service either. The caller then starts the daemon itself.
        return false;
      }
    },
  };
}

/** For `doctor`: from the files alone, without asking the manager. Undefined on a system that has none. */
export async function serviceSeen(
  paths: Paths,
  { env, platform }: ServiceDeps,
): Promise<ServiceReport | undefined> {
  if (platform !== "linux" && platform !== "darwin") return undefined;
  return statusOf(paths, managerOf(platform, env), { isAsked: false });
}

/** Resolves when the daemon has its lock and has written who it is, so that nobody else starts a second one. Throws `agent` and `daemon_down`. */
async function start(by: Manager, paths: Paths, env: Env): Promise<void> {
  await runAll(by.start, env, { mayBeGone: true });
  const until = systemClock.monotonic() + limits.client.autostartWaitMs;
  const isUp = () => {
    const { held, text } = readLock(paths.lock);
    // The text of the daemon before stays until then.
    const instance = held ? instanceIn(text) : undefined;
    return instance !== undefined && isAlive(instance);
  };
  while (!isUp()) {
    if (systemClock.monotonic() >= until)
      fail("daemon_down", `${by.name} started the service, and no daemon runs`, {
        hint: by.name === "systemd" ? "journalctl --user -u dispatch" : `read ${paths.log}`,
      });
    await systemClock.sleep(limits.client.autostartPollMs);
  }
}

/** `isAsked`: the manager is there and answers. */
async function statusOf(
  paths: Paths,
  by: Manager,
  { isAsked }: { isAsked: boolean },
): Promise<ServiceReport> {
  const { held, text } = readLock(paths.lock);
  const daemon = held ? (instanceIn(text)?.pid ?? null) : null;
  const report: ServiceReport = {
    manager: by.name,
    file: by.file,
    state: "absent",
    enabled: false,
    pid: null,
    daemon_pid: daemon,
    program: null,
    codex: null,
    detail: null,
    text: null,
    commands: [],
    left: [],
    next: by.isHere() ? "dispatch service install" : null,
  };
  if (look(by.file) === undefined) return report;
  const recorded = recordAt(by);
  if (recorded?.home !== paths.home) {
    const detail = recorded ? `it is of the home ${recorded.home}` : "dispatch did not write it";
    return { ...report, state: "other", detail, next: null };
  }
  const found = { ...report, program: [...recorded.program] };
  const manager = isAsked ? await by.state() : { enabled: false, pid: null };
  const fault = programFault(recorded);
  const codex = await codexOf(recorded, paths).catch((thrown) => errorMessage(thrown));
  const isFound = codex.startsWith("/");
  if (fault !== undefined || !isFound)
    return { ...found, ...manager, state: "broken", detail: fault ?? codex };
  const next = daemon !== null && manager.pid !== daemon && isAsked ? restart(by) : null;
  return { ...found, ...manager, state: "installed", codex, next };
}

/** The running daemon is not the one of the service. */
function restart(by: Manager): string {
  return `dispatch down, then ${by.start.map(lineOf).join(" && ")}`;
}

/** What Codex the service would find, with the environment that it records. Throws `agent_down`. */
function codexOf({ env }: Recorded, { config }: Paths): Promise<string> {
  return findCodex({ named: env["DISPATCH_CODEX"], configured: configuredCodex(config), path: env["PATH"] });
}

function recordAt(by: Manager): Recorded | undefined {
  return look(by.file)?.isFile() ? recordIn(readFileSync(by.file, "utf8")) : undefined;
}

function refuseOther(by: Manager, paths: Paths): void {
  if (look(by.file) === undefined) return;
  const recorded = recordAt(by);
  if (recorded?.home === paths.home) return;
  throw recorded
    ? new DispatchError("conflict", `${by.file} is the service of another home, ${recorded.home}`, {
        hint: `dispatch service remove --home ${recorded.home}`,
      })
    : new DispatchError("conflict", `${by.file} exists and dispatch did not write it`, {
        hint: "move it away",
      });
}

/** Only its owner can read it: it holds an environment. */
function write(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch (cause) {
    fail("storage", `could not write ${file}: ${errorMessage(cause)}`, { cause });
  }
}
