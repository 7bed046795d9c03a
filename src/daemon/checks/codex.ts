/** Checks Codex: its program, its version, its features, its login, and a test run. Credentials are never read. */
import { accessSync, constants } from "node:fs";
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { isPlainFile, look, openUp } from "../../base/directory.ts";
import { errorMessage } from "../../base/error.ts";
import type { Log } from "../../base/log.ts";
import { modeOf, quoted } from "../../base/privacy.ts";
import { version } from "../../base/version.ts";
import { capabilities } from "../../codex/capabilities.ts";
import { features, isNewer, isTested, tested, testedWords, upgradeFor } from "../../codex/features.ts";
import { findCodex } from "../../codex/find.ts";
import { reasonOf } from "../../codex/printed.ts";
import { smoke } from "../../codex/smoke.ts";
import { runWithTemporaryHome } from "../../codex/temporaryhome.ts";
import { configuredCodex } from "../config.ts";
import { bad, badOf, type CheckContext, type Finding, ok, skipped, warn } from "./check.ts";

const install = "npm install -g @openai/codex";

export async function checkCodex(ctx: CheckContext): Promise<Finding> {
  const { timeoutMs } = ctx;
  const path = await executableOf(ctx);
  const data = { path };
  const run = await versionOf(path, ctx).catch(badOf);
  if ("status" in run) return { ...run, recovery: install, data };
  const { output, version: found } = run;
  if (output.timedOut)
    return bad(`${path} --version did not end within ${timeoutMs / 1000} s`, {
      detail: reasonOf(output) || undefined,
      recovery: install,
      data,
    });
  if (output.code !== 0)
    return bad(`${path} does not run (status ${output.code ?? output.signal})`, {
      detail: reasonOf(output) || undefined,
      recovery: install,
      data,
    });
  const line = output.stdout.trim();
  const more = { detail: path, data: { ...data, version: found, tested } };
  // A newer version most likely works, and the user cannot do anything about it: a note is enough.
  if (found !== null && isNewer(found)) return ok(`${line}; newer than tested: ${testedWords}`, more);
  if (found === null || !isTested(found))
    return warn(`${line}: ${testedWords}`, { ...more, recovery: upgradeFor(found ?? "") });
  return ok(line, more);
}

function versionOf(path: string, { env, timeoutMs }: CheckContext) {
  return runWithTemporaryHome(path, { args: () => ["--version"], env, timeoutMs }, (output) => ({
    output,
    version: /\d+\.\d+\.\d+\S*/.exec(output.stdout)?.[0] ?? null,
  }));
}

/** Which features that dispatch uses this Codex has, from its own schema. */
export async function checkCapabilities(ctx: CheckContext): Promise<Finding> {
  const path = await executableOf(ctx).catch(() => undefined);
  const missing = path === undefined ? undefined : await capabilities({ env: ctx.env })(path);
  if (path === undefined || !missing)
    return skipped("codex did not report its features", { recovery: "dispatch doctor" });
  const lacks = missing.map(({ feature, needs }) => ({ ...feature, needs }));
  const reasons = lacks.map(({ what, needs }) => `cannot ${what}: it has no ${needs.join(", ")}`);
  const data = { used: features.length, lacks: lacks.map(({ what, needs }) => ({ feature: what, needs })) };
  const recovery = upgradeFor((await versionOf(path, ctx)).version ?? "");
  const vital = lacks.findIndex(({ isVital }) => isVital);
  if (vital >= 0)
    return bad(`this codex is not supported, it ${reasons[vital]}`, { detail: testedWords, recovery, data });
  if (reasons.length > 0)
    return warn(`this codex lacks ${reasons.length} of ${features.length} features`, {
      detail: reasons.join("; "),
      recovery,
      data,
    });
  return ok(`all ${features.length} features that dispatch uses`, { data });
}

/** Checks only existence and mode. A custom provider may need no login: the smoke test decides that. */
export async function checkAuth(ctx: CheckContext): Promise<Finding> {
  const { env } = ctx;
  const home = env["CODEX_HOME"] || join(homedir(), ".codex");
  const closed = closedHome(home);
  if (closed) return closed;
  // Codex creates its default home, but it does not start with a named home that does not exist (facts F64). The name
  // may be misspelt, so `--fix` does not create it.
  if (env["CODEX_HOME"] && look(home) === undefined)
    return bad(`CODEX_HOME is ${home}, which does not exist`, {
      recovery: `correct CODEX_HOME, or: mkdir -p ${quoted(home)}`,
      data: { codex_home: home },
    });
  if (isPlainFile(home))
    return bad(`CODEX_HOME is ${home}, which is a file`, {
      recovery: "correct CODEX_HOME",
      data: { codex_home: home },
    });
  const file = join(home, "auth.json");
  const found = look(file);
  const key = ["CODEX_API_KEY", "OPENAI_API_KEY"].find((name) => env[name]);
  const data = { codex_home: home, auth_file: found !== undefined, env_key: key ?? null };
  if (found === undefined && key === undefined)
    return warn(`no login: no ${file}, and no API key in Codex's environment`, {
      detail: `[app_server] env = ["OPENAI_API_KEY"] in ${ctx.paths.config} passes a key to Codex`,
      recovery: "codex login",
      data,
    });
  if (found && (found.mode & 0o077) !== 0)
    return warn(`other users can read ${file} (mode ${modeOf(found)})`, {
      recovery: `chmod 600 ${quoted(file)}`,
      data,
    });
  if (found && !(await isReadable(file)))
    return bad(`${file} cannot be read by this user`, { recovery: "codex login", data });
  return ok(found ? file : `a key in ${key}`, { data });
}

/** Codex starts with some of these closed, and then refuses each thread. */
const writtenFolders = ["", "sessions", "archived_sessions", "thread-writer-locks"];

function closedHome(home: string): Finding | undefined {
  for (const folder of writtenFolders.map((name) => join(home, name))) {
    try {
      // The dot: what is no folder is another fault.
      accessSync(`${folder}/.`, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (thrown) {
      if (!closedCodes.has((thrown as NodeJS.ErrnoException).code ?? "")) continue;
      return bad(`CODEX_HOME is ${home}, and this user cannot write to ${folder}: ${errorMessage(thrown)}`, {
        recovery: openUp(folder),
        data: { codex_home: home },
      });
    }
  }
  return undefined;
}

const closedCodes = new Set(["EACCES", "EPERM", "EROFS"]);

export async function checkAppServer(ctx: CheckContext, clock: Clock): Promise<Finding> {
  const { env, appServer, timeoutMs, paths } = ctx;
  if (!appServer) return skipped("not requested", { recovery: "dispatch doctor" });
  const seen = await smoke({
    clock,
    log: silent,
    env: { ...env },
    version,
    executable: () => executableOf(ctx),
    timeoutMs,
  });
  const { error, warnings } = seen;
  const data = {
    version: seen.version,
    codex_home: seen.codex_home,
    warnings,
    requires_login: seen.requires_login,
  };
  if (error) return bad(error.message, { ...(error.hint ? { recovery: error.hint } : {}), data });
  const other = await otherHome(paths.db, seen.codex_home);
  if (other)
    return bad(`codex uses the home ${seen.codex_home}, but this registry belongs to ${other}`, {
      recovery: `set CODEX_HOME=${quoted(other)}, or use another dispatch home`,
      data,
    });
  if (seen.requires_login) return bad("codex is not logged in", { recovery: "codex login", data });
  if (warnings.length > 0) return warn("codex works, with warnings", { detail: warnings.join("\n"), data });
  return ok(`codex ${seen.version} started and opened a thread`, { data });
}

/** The executable that the daemon would use. Another check reports an unreadable configuration. */
function executableOf({ env, paths }: CheckContext): Promise<string> {
  return findCodex({ named: env["DISPATCH_CODEX"], configured: commandIn(paths.config), path: env["PATH"] });
}

function commandIn(config: string): string | undefined {
  try {
    return configuredCodex(config);
  } catch {
    return undefined;
  }
}

/** The Codex home that the registry belongs to, if it is not this one. */
async function otherHome(db: string, home: string | null): Promise<string | undefined> {
  if (home === null || !look(db)?.size) return undefined;
  const { inspectRegistry } = await import("../../store/inspect.ts");
  try {
    const { codex_home: known } = inspectRegistry(db);
    return known !== null && known !== home ? known : undefined;
  } catch {
    // Another check reports an unreadable registry.
    return undefined;
  }
}

async function isReadable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}

/** The finding has what the test run reports, so nothing is logged. */
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
