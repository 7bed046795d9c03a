/** PATH, the home, the place of the socket. */
import { chmodSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { openLock, readLock } from "../../base/flock.ts";
import { socketDir } from "../../base/paths.ts";
import { readConfig } from "../config.ts";
import { directoryFault, lengthFault, look, modeOf, occupantFault, removeStaleSocket } from "../place.ts";
import { type Asked, bad, badOf, type Finding, ok, skipped, warn } from "./check.ts";

/** Agents and scripts call `dispatch` by name. */
export function checkPath({ env }: Asked): Finding {
  const found = Bun.which("dispatch", { PATH: env["PATH"] ?? "" });
  if (found === null)
    return warn("dispatch is not on PATH: agents and scripts will not find it", {
      recovery: `export PATH="${dirname(process.execPath)}:$PATH"`,
    });
  const data = { path: found, executable: process.execPath };
  const isOther = realpathSync(found) !== realpathSync(process.execPath);
  return ok(found, { data, ...(isOther ? { detail: `this one is ${process.execPath}` } : {}) });
}

export function checkHome(asked: Asked): Finding {
  const { home } = asked.paths;
  if (look(home) === undefined) return skipped(`${home} is not there yet`, { recovery: "dispatch up" });
  return checkDirectory(home, asked);
}

/** A broken configuration fails what needs it, and is found here. */
export function checkConfig({ paths }: Asked): Finding {
  if (look(paths.config) === undefined) return ok("none: the defaults");
  const { policy, app_server, history } = readConfig(paths.config);
  return ok(paths.config, { data: { policy, app_server, history } });
}

export function checkSocket(asked: Asked): Finding {
  const { socket } = asked.paths;
  const directory = socketDir(asked.paths);
  const tooLong = lengthFault(socket);
  if (tooLong) return badOf(tooLong);
  if (look(directory) === undefined)
    return skipped(`${socket} is not there yet`, { recovery: "dispatch up" });
  const place = checkDirectory(directory, asked);
  if (place.status === "fail") return place;
  const occupant = occupantFault(socket);
  if (occupant) return badOf(occupant);
  const found = look(socket);
  if (found === undefined) return ok(`no daemon listens on ${socket}`);
  if (!readLock(asked.paths.lock).held) return stale(asked);
  if ((found.mode & 0o077) !== 0)
    return bad(`other users can reach ${socket} (mode ${modeOf(found)})`, {
      recovery: `chmod 600 ${socket}`,
    });
  return ok(socket, { data: { path: socket, mode: modeOf(found) } });
}

function checkDirectory(directory: string, { fix }: Asked): Finding {
  const fault = directoryFault(directory);
  if (!fault) return ok(directory, { data: { path: directory, mode: modeOf(look(directory)!) } });
  // Only a mode can be put right without knowing what the directory is for, and only of one that is ours.
  if (!fix || fault.data?.["mode"] === undefined) return badOf(fault);
  chmodSync(directory, 0o700);
  return ok(directory, {
    detail: `fixed: the mode was ${fault.data["mode"]} and is 0700`,
    data: { path: directory, mode: "0700" },
  });
}

/** The lock is free, so nobody listens; it is held while the socket goes, so that nobody begins to meanwhile. */
function stale({ paths, fix }: Asked): Finding {
  const summary = `${paths.socket} was left by a daemon that did not end well`;
  const lock = fix ? openLock(paths.lock) : undefined;
  if (!lock)
    return warn(summary, { detail: "the next daemon removes it", recovery: "dispatch doctor --fix" });
  try {
    removeStaleSocket(paths.socket);
    return ok(`no daemon listens on ${paths.socket}`, { detail: "fixed: removed a stale socket" });
  } finally {
    lock.release();
  }
}
