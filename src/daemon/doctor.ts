/** Runs the checks of `dispatch doctor`. It needs no daemon, changes nothing without `--fix`, and never throws. */
import { type Clock, systemClock } from "../base/clock.ts";
import { daemonEnv, inheritedEnv, readEnv } from "../base/env.ts";
import { errorMessage } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Paths } from "../base/paths.ts";
import type { Check } from "../ops/ctx.ts";
import { badOf, type CheckContext, type Finding } from "./checks/check.ts";
import { checkAppServer, checkAuth, checkCapabilities, checkCodex } from "./checks/codex.ts";
import { checkDaemon } from "./checks/daemon.ts";
import { checkConfig, checkHome, checkPath, checkSocket } from "./checks/files.ts";
import { checkPlugin } from "./checks/plugin.ts";
import { checkRegistry } from "./checks/registry.ts";
import { checkRelay } from "./checks/relay.ts";
import { checkService } from "./checks/service.ts";
import { checkFolders, checkThreads } from "./checks/threads.ts";
import { passedVariables } from "./config.ts";

type Look = (ctx: CheckContext, clock: Clock) => Finding | Promise<Finding>;

/** In the order of cause: an earlier fault can explain a later one. */
const checks: readonly (readonly [name: string, look: Look])[] = [
  ["path", checkPath],
  ["home", checkHome],
  ["config", checkConfig],
  ["socket", checkSocket],
  ["daemon", checkDaemon],
  ["relay", checkRelay],
  ["registry", checkRegistry],
  ["threads", checkThreads],
  ["folders", checkFolders],
  ["codex", checkCodex],
  ["capabilities", checkCapabilities],
  ["auth", checkAuth],
  ["plugin", checkPlugin],
  ["service", checkService],
  ["app_server", checkAppServer],
];

interface DoctorDeps {
  env: Record<string, string | undefined>;
  /** Default: `env`. */
  hostEnv?: Record<string, string | undefined>;
  isSandboxed: boolean;
  clock: Clock;
}

export interface DoctorInput {
  app_server: boolean;
  fix: boolean;
  timeoutMs: number;
}

/** Runs every check and returns the results in order. `deps` is a parameter for tests. */
export async function runChecks(
  paths: Paths,
  input: DoctorInput,
  deps: DoctorDeps = systemDeps(paths),
): Promise<Check[]> {
  const { app_server: appServer, fix, timeoutMs } = input;
  const { env, hostEnv = env, isSandboxed, clock } = deps;
  const ctx: CheckContext = { paths, env, hostEnv, isSandboxed, appServer, timeoutMs };
  const found: Check[] = [];
  for (const [name, look] of checks) {
    const once = () => attempt(look, ctx, clock);
    found.push({ name, ...(fix ? await repaired(once) : resultOf(await once(), [])) });
  }
  return found;
}

/** Runs the check again after each repair, because one fault may hide another. */
async function repaired(once: () => Promise<Finding>): Promise<Omit<Check, "name">> {
  const fixed: string[] = [];
  for (;;) {
    const finding = await once();
    if (!finding.fix || fixed.length === limits.doctor.fixesMax) return resultOf(finding, fixed);
    try {
      fixed.push(finding.fix());
    } catch (thrown) {
      return resultOf({ ...finding, detail: `could not be repaired: ${errorMessage(thrown)}` }, fixed);
    }
  }
}

function resultOf({ fix, ...finding }: Finding, fixed: string[]): Omit<Check, "name"> {
  return { ...finding, fixable: fix !== undefined, fixed };
}

async function attempt(look: Look, ctx: CheckContext, clock: Clock): Promise<Finding> {
  try {
    return await look(ctx, clock);
  } catch (thrown) {
    return badOf(thrown);
  }
}

function systemDeps(paths: Paths): DoctorDeps {
  const { CODEX_SANDBOX, CODEX_SANDBOX_NETWORK_DISABLED } = readEnv();
  const isSandboxed = CODEX_SANDBOX !== undefined || CODEX_SANDBOX_NETWORK_DISABLED !== undefined;
  const env = daemonEnv(passedVariables(paths.config));
  return { env, hostEnv: inheritedEnv(), isSandboxed, clock: systemClock };
}
