/** The only place that reads the environment, so that this list is all the variables the product obeys. */
export type EnvName =
  | "DISPATCH_HOME"
  | "DISPATCH_SOCKET"
  | "DISPATCH_DB"
  | "DISPATCH_CONFIG"
  | "DISPATCH_CODEX"
  | "DISPATCH_NO_START"
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
 * What a long-lived child inherits: all but what tells who called this one command (a daemon started by an agent
 * would claim to be it for ever) and what would make Bun load foreign code or change what it is (BUN_OPTIONS,
 * BUN_BE_BUN; measured to work on a compiled binary).
 */
export function inheritedEnv(changes: Partial<Record<EnvName, string>> = {}): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    const dropped = name.startsWith("BUN_") || name.startsWith("CODEX_SANDBOX") || name === "CODEX_THREAD_ID";
    if (!dropped && value !== undefined) kept[name] = value;
  }
  return { ...kept, ...changes };
}
