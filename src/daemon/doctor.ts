/** Is everything here that dispatch needs? Works with no daemon, changes nothing unless told to, and never throws. */
import { type Clock, systemClock } from "../base/clock.ts";
import { inheritedEnv, readEnv } from "../base/env.ts";
import type { Paths } from "../base/paths.ts";
import type { Check } from "../ops/ctx.ts";
import { type Asked, badOf, type Finding } from "./checks/check.ts";
import { checkAppServer, checkAuth, checkCodex } from "./checks/codex.ts";
import { checkDaemon } from "./checks/daemon.ts";
import { checkConfig, checkHome, checkPath, checkSocket } from "./checks/files.ts";
import { checkRegistry } from "./checks/registry.ts";

type Run = (asked: Asked, clock: Clock) => Finding | Promise<Finding>;

/** In the order that a person would look: what is broken first explains what is broken after it. */
const checks: readonly (readonly [name: string, run: Run])[] = [
  ["path", checkPath],
  ["home", checkHome],
  ["config", checkConfig],
  ["socket", checkSocket],
  ["daemon", checkDaemon],
  ["registry", checkRegistry],
  ["codex", checkCodex],
  ["auth", checkAuth],
  ["app_server", checkAppServer],
];

interface World {
  env: Record<string, string | undefined>;
  isSandboxed: boolean;
  clock: Clock;
}

export interface DoctorInput {
  app_server: boolean;
  fix: boolean;
  timeoutMs: number;
}

/** `world` is a parameter for tests. */
export async function runChecks(paths: Paths, input: DoctorInput, world: World = here()): Promise<Check[]> {
  const { app_server: appServer, fix, timeoutMs } = input;
  const { env, isSandboxed, clock } = world;
  const asked: Asked = { paths, env, isSandboxed, appServer, fix, timeoutMs };
  const found: Check[] = [];
  for (const [name, run] of checks) found.push({ name, ...(await attempt(run, asked, clock)) });
  return found;
}

async function attempt(run: Run, asked: Asked, clock: Clock): Promise<Finding> {
  try {
    return await run(asked, clock);
  } catch (thrown) {
    return badOf(thrown);
  }
}

function here(): World {
  const { CODEX_SANDBOX, CODEX_SANDBOX_NETWORK_DISABLED } = readEnv();
  const isSandboxed = CODEX_SANDBOX !== undefined || CODEX_SANDBOX_NETWORK_DISABLED !== undefined;
  return { env: inheritedEnv(), isSandboxed, clock: systemClock };
}
