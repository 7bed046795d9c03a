/** Where one dispatch home keeps its files. */

import { refuseUndecodedPlaces } from "./undecoded.ts";

export interface Paths {
  home: string;
  socket: string;
  db: string;
  /** Beside the database, never unlinked or renamed: its flock decides who is the daemon. */
  lock: string;
  /** Taken while starting a daemon, so that twenty `up` start one. */
  startLock: string;
  /** Left by `down`: autostart honours it, `up` clears it. */
  stopped: string;
  log: string;
  config: string;
}

export interface PathsEnv {
  DISPATCH_HOME?: string | undefined;
  DISPATCH_SOCKET?: string | undefined;
  DISPATCH_DB?: string | undefined;
  DISPATCH_CONFIG?: string | undefined;
  HOME?: string | undefined;
}

/** `home` is the `--home` flag. Relative paths are the caller's. Throws `usage` when a variable cannot be read as text. */
export function pathsOf(env: PathsEnv, home?: string): Paths {
  refuseUndecodedPlaces(env);
  const root = absolute(home || env.DISPATCH_HOME || `${homeOf(env)}/.dispatch`);
  const db = absolute(env.DISPATCH_DB || `${root}/registry.db`);
  return {
    home: root,
    socket: absolute(env.DISPATCH_SOCKET || `${root}/dispatch.sock`),
    db,
    lock: `${db}.lock`,
    startLock: `${root}/start.lock`,
    stopped: `${root}/stopped`,
    log: `${root}/daemon.log`,
    config: absolute(env.DISPATCH_CONFIG || `${root}/config.toml`),
  };
}

// node:path and node:os cost 0.85 ms of every command's start (measured), so they are asked only for what needs them.
function absolute(path: string): string {
  const whole = `${path}/`;
  // Not by a regular expression, whose first use in a process takes 0.15 ms.
  const isPlain =
    path.startsWith("/") && !whole.includes("//") && !whole.includes("/./") && !whole.includes("/../");
  return isPlain ? path : (require("node:path") as typeof import("node:path")).resolve(path);
}

function homeOf(env: PathsEnv): string {
  return env.HOME || (require("node:os") as typeof import("node:os")).homedir();
}

/** The directory of the socket: 0700, ours, verified before it is trusted. */
export function socketDir(paths: Paths): string {
  return paths.socket.slice(0, paths.socket.lastIndexOf("/")) || "/";
}
