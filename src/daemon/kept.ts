/**
 * Connections to other machines that stay open for a while after a read, for the next reads of this machine's commands: a
 * log-in and two starts of dispatch are most of what a read there takes. A read that finds none goes its own way, as does
 * one that is not answered here: nothing is told that only this connection knows.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { readEnv } from "../base/env.ts";
import { errorMessage, fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { version } from "../base/version.ts";
import type { Host } from "../ops/ctx.ts";
import type { IndexRow } from "../ops/op.ts";
import { hostNamed, type RemoteHost } from "../surface/remote/hosts.ts";
import { type Dialling, dial } from "../surface/remote/ssh.ts";
import { readHosts } from "./hosts.ts";

export interface KeptHosts {
  /** Throws `usage` for what is no read, and what the configuration says of the host. */
  read: Host["readFar"];
  close(): void;
}

interface Kept {
  dialling: Dialling;
  /** The daemon there has answered, and is of this version. */
  isReady: boolean;
  /** Monotonic ms. */
  openedAt: number;
  /** Of ssh's configuration when it was opened. */
  stamp: string;
  cancelIdle(): void;
}

interface Options {
  config: string;
  clock: Clock;
  log: Log;
  /** These two are parameters for tests. ssh takes the user's home from the system, and not from HOME. */
  connect?(host: RemoteHost): Dialling;
  sshFolder?: string;
}

export function keptHosts(
  index: readonly Pick<IndexRow, "name" | "intent">[],
  { config, clock, log, connect = connectHost, sshFolder = join(userInfo().homedir, ".ssh") }: Options,
): KeptHosts {
  const open = new Map<string, Kept>();
  /** Hosts that could not be reached, and until when they are left alone; monotonic ms. */
  const failed = new Map<string, number>();
  let isClosed = false;

  function drop(key: string, one: Kept): void {
    if (open.get(key) === one) open.delete(key);
    one.cancelIdle();
    one.dialling.connection.close();
  }

  function stayFor(key: string, one: Kept): void {
    one.cancelIdle();
    one.cancelIdle = clock.after(limits.host.keptIdleMs, () => drop(key, one));
  }

  function keep(key: string, host: RemoteHost, stamp: string): void {
    for (const [name, until] of failed) if (until <= clock.monotonic()) failed.delete(name);
    if (open.size >= limits.host.atOnceMax || failed.has(key)) return;
    const giveUp = (reason: string) => {
      if (isClosed) return;
      log.debug("no connection to a host is kept", { host: host.name, reason });
      failed.set(key, clock.monotonic() + limits.host.keptAgainMs);
    };
    let dialling: Dialling;
    try {
      dialling = connect(host);
    } catch (thrown) {
      giveUp(errorMessage(thrown));
      return;
    }
    const one: Kept = { dialling, isReady: false, openedAt: clock.monotonic(), stamp, cancelIdle() {} };
    open.set(key, one);
    stayFor(key, one);
    const { connection } = dialling;
    const end = (reason: string) => {
      // One that was dropped meanwhile says nothing of the host.
      if (open.get(key) !== one) return;
      giveUp(reason);
      drop(key, one);
    };
    connection.greeted().then(
      () => {
        one.isReady = connection.daemon()?.version === version;
        if (!one.isReady) end("dispatch there is of another version");
      },
      (thrown: unknown) => end(errorMessage(thrown)),
    );
  }

  /** The connection that may be used; another one is opened for later reads if there is none. */
  function readyFor(host: RemoteHost): { key: string; one: Kept } | undefined {
    const stamp = stampOf(sshFolder);
    const key = JSON.stringify([host.destination, host.command]);
    const one = open.get(key);
    const isOver =
      one !== undefined &&
      (!one.dialling.connection.isOpen() ||
        clock.monotonic() - one.openedAt > limits.host.keptAgeMs ||
        one.stamp !== stamp);
    if (isOver) drop(key, one);
    if (stamp !== undefined && !open.has(key)) keep(key, host, stamp);
    return one?.isReady && !isOver ? { key, one } : undefined;
  }

  return {
    async read(to, { ssh, op, schema, input, caller }) {
      if (index.find(({ name }) => name === op)?.intent !== "read")
        fail("usage", `${op} is no read`, { hint: `dispatch --host ${to} COMMAND` });
      const host = hostNamed(to, readHosts(config));
      // The caller's own ssh may be another one.
      const ready = isClosed || ssh !== (readEnv().DISPATCH_SSH ?? null) ? undefined : readyFor(host);
      if (!ready) return null;
      const { key, one } = ready;
      stayFor(key, one);
      const patience = new AbortController();
      const late = clock.sleep(limits.host.keptAnswerMs, patience.signal).then(() => null);
      const asked = one.dialling.connection
        .call({ op, schema, input, caller: { ...caller, cwd: "" } })
        .catch(() => null);
      const answer = await Promise.race([asked, late]).finally(() => patience.abort());
      if (answer !== null && "result" in answer) return answer;
      const isOfTheCall = answer !== null && "error" in answer && !connectionCodes.has(answer.error.code);
      if (isOfTheCall) return answer;
      // Its daemon has gone, or its network, or that read takes long: those after it are not to wait for the same.
      failed.set(key, clock.monotonic() + limits.host.keptAgainMs);
      drop(key, one);
      return null;
    },
    close() {
      isClosed = true;
      for (const [key, one] of [...open]) drop(key, one);
    },
  };
}

const connectionCodes: ReadonlySet<string> = new Set(["stale", "daemon_down", "overloaded", "host_down"]);

function connectHost(host: RemoteHost): Dialling {
  return dial(host, { mayStart: false, dialMs: limits.host.dialMs });
}

/**
 * Changes when ssh may mean another machine by the same name. Undefined where that cannot be seen: the user's
 * configuration includes other files.
 */
function stampOf(folder: string): string | undefined {
  const path = join(folder, "config");
  if (existsSync(path) && /^\s*include\b/im.test(readFileSync(path, "utf8"))) return undefined;
  const system = ["/etc/ssh/ssh_config", "/etc/ssh/ssh_config.d"].map((one) => markOf(one));
  return [markOf(path), ...system].join();
}

function markOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs} ${stat.size}` : "none";
}
