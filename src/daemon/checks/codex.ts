/** Codex: is it there, may it work, does it. Credentials are looked at from outside and never read. */
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { look } from "../../base/directory.ts";
import type { Log } from "../../base/log.ts";
import { modeOf, quoted } from "../../base/privacy.ts";
import { version } from "../../base/version.ts";
import { askAside } from "../../codex/aside.ts";
import { capabilities } from "../../codex/capabilities.ts";
import { features, isNewer, isTested, tested, testedWords, upgradeFor } from "../../codex/features.ts";
import { findCodex } from "../../codex/find.ts";
import { smoke } from "../../codex/smoke.ts";
import { configuredCodex } from "../config.ts";
import { type Asked, bad, type Finding, ok, skipped, warn } from "./check.ts";

const install = "npm install -g @openai/codex";

export async function checkCodex(asked: Asked): Promise<Finding> {
  const { timeoutMs } = asked;
  const path = await executableOf(asked);
  const { said, version: found } = await versionOf(path, asked);
  const data = { path };
  if (said.timedOut)
    return bad(`${path} --version did not end within ${timeoutMs / 1000} s`, { recovery: install, data });
  if (said.code !== 0)
    return bad(`${path} does not run (status ${said.code})`, {
      detail: said.stderr.trim(),
      recovery: install,
      data,
    });
  const words = said.stdout.trim();
  const more = { detail: path, data: { ...data, version: found, tested } };
  // A newer one is most likely well, and nothing that the user could do about it is right: the words are enough.
  if (found !== null && isNewer(found)) return ok(`${words}, newer than what ${testedWords}`, more);
  if (found === null || !isTested(found))
    return warn(`${words}: ${testedWords}`, { ...more, recovery: upgradeFor(found ?? "") });
  return ok(words, more);
}

function versionOf(path: string, { env, timeoutMs }: Asked) {
  return askAside(path, { args: () => ["--version"], env, timeoutMs }, (said) => ({
    said,
    version: /\d+\.\d+\.\d+\S*/.exec(said.stdout)?.[0] ?? null,
  }));
}

/** What this Codex has of all that dispatch uses, from its own schema. */
export async function checkCapabilities(asked: Asked): Promise<Finding> {
  const path = await executableOf(asked).catch(() => undefined);
  const told = path === undefined ? undefined : await capabilities({ env: asked.env })(path);
  if (path === undefined || !told)
    return skipped("codex did not tell what it offers", { recovery: "dispatch doctor" });
  const lacks = told.map(({ feature, needs }) => ({ ...feature, needs }));
  const said = lacks.map(({ what, needs }) => `cannot ${what}: it has no ${needs.join(", ")}`);
  const data = { used: features.length, lacks: lacks.map(({ what, needs }) => ({ feature: what, needs })) };
  const recovery = upgradeFor((await versionOf(path, asked)).version ?? "");
  const vital = lacks.findIndex(({ isVital }) => isVital);
  if (vital >= 0)
    return bad(`this codex does not fit, it ${said[vital]}`, { detail: testedWords, recovery, data });
  if (said.length > 0)
    return warn(`this codex lacks ${said.length} of ${features.length} things`, {
      detail: said.join("; "),
      recovery,
      data,
    });
  return ok(`all ${features.length} things that dispatch asks of codex`, { data });
}

/** Existence and mode only. A provider of one's own may need none of this: the smoke test decides that. */
export async function checkAuth(asked: Asked): Promise<Finding> {
  const { env } = asked;
  const home = env["CODEX_HOME"] || join(homedir(), ".codex");
  // Its own default it makes by itself; in one that is named and not there it does not start (measured). A misspelt
  // name is as likely as a new one, so it is not made here.
  if (env["CODEX_HOME"] && look(home) === undefined)
    return bad(`CODEX_HOME is ${home}, and that is not there`, {
      recovery: `correct CODEX_HOME, or: mkdir -p ${quoted(home)}`,
      data: { codex_home: home },
    });
  const file = join(home, "auth.json");
  const found = look(file);
  const key = ["CODEX_API_KEY", "OPENAI_API_KEY"].find((name) => env[name]);
  const data = { codex_home: home, auth_file: found !== undefined, env_key: key ?? null };
  if (found === undefined && key === undefined)
    return warn(`no login: no ${file}, and no key in the environment that Codex gets`, {
      detail: `[app_server] env = ["OPENAI_API_KEY"] in ${asked.paths.config} passes a key on`,
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

export async function checkAppServer(asked: Asked, clock: Clock): Promise<Finding> {
  const { env, appServer, timeoutMs, paths } = asked;
  if (!appServer) return skipped("not asked", { recovery: "dispatch doctor" });
  const seen = await smoke({
    clock,
    log: silent,
    env: { ...env },
    version,
    executable: () => executableOf(asked),
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
  if (warnings.length > 0) return warn("codex works, and warns", { detail: warnings.join("\n"), data });
  return ok(`codex ${seen.version} started, and opened a thread`, { data });
}

/** As the daemon finds it. A configuration that cannot be read has a check of its own. */
function executableOf({ env, paths }: Asked): Promise<string> {
  return findCodex({ named: env["DISPATCH_CODEX"], configured: commandIn(paths.config), path: env["PATH"] });
}

function commandIn(config: string): string | undefined {
  try {
    return configuredCodex(config);
  } catch {
    return undefined;
  }
}

/** The home of Codex that the registry belongs to, when it is not this one. */
async function otherHome(db: string, home: string | null): Promise<string | undefined> {
  if (home === null || !look(db)?.size) return undefined;
  const { inspectRegistry } = await import("../../store/inspect.ts");
  try {
    const { codex_home: known } = inspectRegistry(db);
    return known !== null && known !== home ? known : undefined;
  } catch {
    // A registry that cannot be read has a check of its own.
    return undefined;
  }
}

async function isReadable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}

/** What the child says while it is tried belongs to no log: the finding has it. */
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
