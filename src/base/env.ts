/** The only place that reads the environment, so that this list is all the variables the product obeys. */
export type EnvName =
  | "DISPATCH_HOME"
  | "DISPATCH_SOCKET"
  | "DISPATCH_DB"
  | "DISPATCH_CONFIG"
  | "DISPATCH_CODEX"
  | "DISPATCH_NO_START"
  /** The host of every command that names none. */
  | "DISPATCH_HOST"
  /** The program that is run as `ssh`. */
  | "DISPATCH_SSH"
  /** Set by the command that starts a daemon: which one it was. */
  | "DISPATCH_STARTED_BY"
  | "CODEX_HOME"
  | "CODEX_THREAD_ID"
  | "CODEX_SANDBOX"
  | "CODEX_SANDBOX_NETWORK_DISABLED"
  | "HOME"
  | "PATH"
  | "PWD"
  | "USER"
  | "COLUMNS"
  | "NO_COLOR"
  | "TERM";

export type Env = Readonly<Partial<Record<EnvName, string>>>;

export function readEnv(): Env {
  return process.env as Env;
}

/**
 * What a program in the caller's own terminal inherits: all but what says who called this one command, and what would
 * make Bun load foreign code or change what it is (BUN_OPTIONS, BUN_BE_BUN; measured to work on a compiled binary).
 */
export function inheritedEnv(): Record<string, string> {
  return picked(
    (name) => !(name.startsWith("BUN_") || name.startsWith("CODEX_SANDBOX") || name === "CODEX_THREAD_ID"),
  );
}

/**
 * What the daemon inherits, and from it Codex and every shell of a thread. A list, because the daemon lives on in the
 * environment of the command that happened to start it: from an MCP host that held an API key and session tokens, and
 * the threads' shells printed them. Codex's shells are login shells, so what the user's profile sets is there again.
 * `more` are the names that the user's configuration adds.
 */
export function daemonEnv(
  more: readonly string[],
  changes: Partial<Record<EnvName, string>> = {},
): Record<string, string> {
  const added = new Set(more);
  // Made here: every command would take 0.3 ms for it at its start (measured).
  const passed: ReadonlySet<string> = new Set(passedNames.join(" ").split(" "));
  return { ...picked((name) => passed.has(name) || /^(LC|XDG)_/.test(name) || added.has(name)), ...changes };
}

const passedNames = [
  "HOME USER LOGNAME SHELL PATH PWD TERM LANG LANGUAGE TZ TMPDIR TMP TEMP",
  "CODEX_HOME DISPATCH_HOME DISPATCH_SOCKET DISPATCH_DB DISPATCH_CONFIG DISPATCH_CODEX DISPATCH_STARTED_BY",
  // Keys of ssh, the desktop's keyring and screen: by socket or name, never the secret itself.
  "SSH_AUTH_SOCK DBUS_SESSION_BUS_ADDRESS DISPLAY WAYLAND_DISPLAY XAUTHORITY",
  // The way out of this network.
  "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy",
  "SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE NODE_EXTRA_CA_CERTS GIT_SSL_CAINFO",
  "CODEX_CA_CERTIFICATE NIX_SSL_CERT_FILE",
  // macOS: how a process encodes text.
  "__CF_USER_TEXT_ENCODING",
];

function picked(isWanted: (name: string) => boolean): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && isWanted(name)) kept[name] = value;
  return kept;
}
