/** What a service file records: how the daemon is started, and with which environment. */
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { look } from "../../base/directory.ts";
import { fail } from "../../base/error.ts";
import type { Paths } from "../../base/paths.ts";
import { version } from "../../base/version.ts";

export interface Recorded {
  version: string;
  home: string;
  program: readonly string[];
  env: Readonly<Record<string, string>>;
}

type Env = Readonly<Record<string, string | undefined>>;

/** A service has no shell and no profile. These are what Codex and its network need of yours. */
const names: ReadonlySet<string> = new Set([
  ...["PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SHELL", "CODEX_HOME", "DISPATCH_CODEX"],
  ...[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
  ],
  ...["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "CODEX_CA_CERTIFICATE"],
]);

/**
 * `passed`: the names of `[app_server] env`. Their values may be secrets, and so may a proxy with a password: they are
 * named in `left` and not written.
 */
export function recordOf(
  paths: Paths,
  given: { env: Env; argv: readonly string[]; passed: readonly string[]; manager: string },
): { recorded: Recorded; left: string[] } {
  const env: Record<string, string> = {};
  const left = given.passed.filter((name) => given.env[name] !== undefined && !names.has(name));
  for (const name of names) {
    const value = name === "PATH" ? absolutePath(given.env[name]) : given.env[name];
    if (value === undefined || value === "") continue;
    if (/\/\/[^/@]+@/.test(value)) left.push(name);
    else env[name] = value;
  }
  if (given.env["DISPATCH_SOCKET"]) env["DISPATCH_SOCKET"] = paths.socket;
  if (given.env["DISPATCH_DB"]) env["DISPATCH_DB"] = paths.db;
  if (given.env["DISPATCH_CONFIG"]) env["DISPATCH_CONFIG"] = paths.config;
  env["DISPATCH_STARTED_BY"] = given.manager;
  const program = [...programOf(given.argv, given.env["PATH"]), "--service", "--home", paths.home];
  for (const text of [...program, ...Object.values(env)])
    if (/[\x00-\x1f\x7f]/.test(text))
      fail("usage", `a service file cannot hold this value: ${JSON.stringify(text)}`, {
        hint: "change that variable, or move that folder",
      });
  return { recorded: { version, home: paths.home, program, env }, left };
}

/** A relative folder would be another one for the service. */
function absolutePath(path: string | undefined): string | undefined {
  const folders = (path ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return folders.length === 0 ? undefined : [...new Set(folders)].join(":");
}

/**
 * `argv` starts the daemon from the file of this program. A name on PATH for the same file is better: an upgrade by
 * Homebrew removes the file and keeps the name.
 */
function programOf(argv: readonly string[], path: string | undefined): string[] {
  const [file] = argv as [string];
  if (argv.length !== 2) return [...argv];
  const folders = (path ?? "").split(":").filter((folder) => folder.startsWith("/"));
  for (const folder of [...folders, dirname(file)]) {
    const name = join(folder, "dispatchd");
    if (isSame(name, file)) return [name];
  }
  return [...argv];
}

/** Whether both names are of one file. */
export function isSame(name: string, file: string): boolean {
  try {
    return realpathSync(name) === realpathSync(file);
  } catch {
    return false;
  }
}

/** In a comment of the service file. No `--`, which a comment of XML cannot hold. */
export function noteOf(recorded: Recorded): string {
  return `dispatch ${JSON.stringify(recorded).replaceAll("--", "-\\u002d")}`;
}

/** Undefined when the text has no such note: somebody else wrote the file. */
export function recordIn(text: string): Recorded | undefined {
  const note = /^(?:# |<!-- )dispatch (\{.*\})(?: -->)?$/m.exec(text)?.[1];
  try {
    return note === undefined ? undefined : (JSON.parse(note) as Recorded);
  } catch {
    return undefined;
  }
}

/** Why the service could not start the daemon, or undefined. */
export function programFault({ program }: Recorded): string | undefined {
  const file = program[0]!;
  return look(file) === undefined || !isSame(file, file) ? `${file} does not exist any more` : undefined;
}
