/** Codex with a required MCP server that takes its time: nothing loads before it is up. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { identityOf } from "../../src/base/identity.ts";

export interface SlowServer {
  /** For Codex's config.toml. */
  config: string;
  /** The same as an entry of `mcp_servers`, not required. */
  table: { command: string; args: string[]; startup_timeout_sec: number };
  /** How many were started, and how many of these run. */
  started(): number;
  running(): number;
  cleanup(): void;
}

export function slowServer(ms: number, timeoutSeconds = 60): SlowServer {
  const folder = resolve(import.meta.dir, "../../.scratch", randomBytes(6).toString("hex"));
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "pids");
  const pids = () => (existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").map(Number) : []);
  const args = [join(import.meta.dir, "slow-mcp.ts"), String(ms), file];
  const table = { command: process.execPath, args, startup_timeout_sec: timeoutSeconds };
  return {
    table,
    config: `[mcp_servers.slow]
command = ${JSON.stringify(process.execPath)}
args = ${JSON.stringify(args)}
required = true
startup_timeout_sec = ${timeoutSeconds}
`,
    started: () => pids().length,
    running: () => pids().filter((pid) => identityOf(pid)?.zombie === false).length,
    cleanup: () => rmSync(folder, { recursive: true, force: true }),
  };
}
