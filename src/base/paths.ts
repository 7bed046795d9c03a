/** Where one dispatch home keeps its files. */
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

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
}

/** `home` is the `--home` flag. Relative paths are the caller's. */
export function pathsOf(env: PathsEnv, home?: string): Paths {
  const root = resolve(home || env.DISPATCH_HOME || join(homedir(), ".dispatch"));
  const db = resolve(env.DISPATCH_DB || join(root, "registry.db"));
  return {
    home: root,
    socket: resolve(env.DISPATCH_SOCKET || join(root, "dispatch.sock")),
    db,
    lock: `${db}.lock`,
    startLock: join(root, "start.lock"),
    stopped: join(root, "stopped"),
    log: join(root, "daemon.log"),
    config: resolve(env.DISPATCH_CONFIG || join(root, "config.toml")),
  };
}

/** The directory the socket stands in: 0700, ours, verified before it is trusted. */
export function socketDir(paths: Paths): string {
  return dirname(paths.socket);
}
