/** Is everything here that dispatch needs? Works with no daemon, changes nothing unless told to, and never throws. */
import { type Clock, systemClock } from "../base/clock.ts";
import { daemonEnv, readEnv } from "../base/env.ts";
import { errorMessage } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Paths } from "../base/paths.ts";
import type { Check } from "../ops/ctx.ts";
import { type Asked, badOf, type Finding } from "./checks/check.ts";
import { checkAppServer, checkAuth, checkCapabilities, checkCodex } from "./checks/codex.ts";
import { checkDaemon } from "./checks/daemon.ts";
import { checkConfig, checkHome, checkPath, checkSocket } from "./checks/files.ts";
import { checkPlugin } from "./checks/plugin.ts";
import { checkRegistry } from "./checks/registry.ts";
import { checkFolders, checkThreads } from "./checks/threads.ts";
import { passedVariables } from "./config.ts";

type Look = (asked: Asked, clock: Clock) => Finding | Promise<Finding>;

/** In the order that a person would look: what is broken first explains what is broken after it. */
const checks: readonly (readonly [name: string, look: Look])[] = [
  ["path", checkPath],
  ["home", checkHome],
  ["config", checkConfig],
  ["socket", checkSocket],
  ["daemon", checkDaemon],
  ["registry", checkRegistry],
  ["threads", checkThreads],
  ["folders", checkFolders],
  ["codex", checkCodex],
  ["capabilities", checkCapabilities],
  ["auth", checkAuth],
  ["plugin", checkPlugin],
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
export async function runChecks(
  paths: Paths,
  input: DoctorInput,
  world: World = here(paths),
): Promise<Check[]> {
  const { app_server: appServer, fix, timeoutMs } = input;
  const { env, isSandboxed, clock } = world;
  const asked: Asked = { paths, env, isSandboxed, appServer, timeoutMs };
  const found: Check[] = [];
  for (const [name, look] of checks) {
    const once = () => attempt(look, asked, clock);
    found.push({ name, ...(fix ? await mended(once) : judged(await once(), [])) });
  }
  return found;
}

/** Looked at again after each thing that was put right: the next fault may have stood behind it. */
async function mended(once: () => Promise<Finding>): Promise<Omit<Check, "name">> {
  const fixed: string[] = [];
  for (;;) {
    const finding = await once();
    if (!finding.mend || fixed.length === limits.doctor.fixesMax) return judged(finding, fixed);
    try {
      fixed.push(finding.mend());
    } catch (thrown) {
      return judged({ ...finding, detail: `could not be put right: ${errorMessage(thrown)}` }, fixed);
    }
  }
}

function judged({ mend, ...finding }: Finding, fixed: string[]): Omit<Check, "name"> {
  return { ...finding, fixable: mend !== undefined, fixed };
}

async function attempt(look: Look, asked: Asked, clock: Clock): Promise<Finding> {
  try {
    return await look(asked, clock);
  } catch (thrown) {
    return badOf(thrown);
  }
}

function here(paths: Paths): World {
  const { CODEX_SANDBOX, CODEX_SANDBOX_NETWORK_DISABLED } = readEnv();
  const isSandboxed = CODEX_SANDBOX !== undefined || CODEX_SANDBOX_NETWORK_DISABLED !== undefined;
  return { env: daemonEnv(passedVariables(paths.config)), isSandboxed, clock: systemClock };
}
