/**
 * Connections to other machines that stay open for a while after a read, for the next reads of this machine's commands: a
 * log-in and two starts of dispatch are most of what a read there takes. A read that finds none goes its own way, as does
 * one that is not answered here: nothing is told that only this connection knows.
 */
import { statSync } from "node:fs";
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

type Connect = (host: RemoteHost) => Dialling;

/** `connect`: a parameter for tests. */
export function keptHosts(
  index: readonly Pick<IndexRow, "name" | "intent">[],
  {
    config,
    clock,
    log,
    connect = connectHost,
  }: { config: string; clock: Clock; log: Log; connect?: Connect },
): KeptHosts {
  const open = new Map<string, Kept>();
  /** Hosts that could not be reached, and until when they are left alone; monotonic ms. */
  const failed = new Map<string, number>();
  let isClosed = false;

  function drop(key: string): void {
    const one = open.get(key);
    if (!one) return;
    open.delete(key);
    one.cancelIdle();
    one.dialling.connection.close();
  }

  function stayFor(key: string, one: Kept): void {
    one.cancelIdle();
    one.cancelIdle = clock.after(limits.host.keptIdleMs, () => drop(key));
  }

  function keep(key: string, host: RemoteHost): void {
    if (open.size >= limits.host.atOnceMax || (failed.get(key) ?? 0) > clock.monotonic()) return;
    failed.delete(key);
    const one: Kept = {
      dialling: connect(host),
      isReady: false,
      openedAt: clock.monotonic(),
      stamp: stampOfSsh(),
      cancelIdle() {},
    };
    open.set(key, one);
    stayFor(key, one);
    const { connection } = one.dialling;
    connection.greeted().then(
      () => {
        one.isReady = connection.daemon()?.version === version;
        if (!one.isReady) giveUp(key, host, "dispatch there is of another version");
      },
      (thrown: unknown) => giveUp(key, host, errorMessage(thrown)),
    );
  }

  function giveUp(key: string, { name }: RemoteHost, reason: string): void {
    if (isClosed) return;
    log.debug("no connection to a host is kept", { host: name, reason });
    failed.set(key, clock.monotonic() + limits.host.keptAgainMs);
    drop(key);
  }

  return {
    async read(to, { ssh, op, schema, input, caller }) {
      if (index.find(({ name }) => name === op)?.intent !== "read")
        fail("usage", `${op} is no read`, { hint: `dispatch --host ${to} COMMAND` });
      const host = hostNamed(to, readHosts(config));
      // The caller's own ssh may be another one.
      if (isClosed || ssh !== (readEnv().DISPATCH_SSH ?? null)) return null;
      const key = JSON.stringify([host.destination, host.command]);
      const one = open.get(key);
      const isOver = (kept: Kept) =>
        !kept.dialling.connection.isOpen() ||
        clock.monotonic() - kept.openedAt > limits.host.keptAgeMs ||
        kept.stamp !== stampOfSsh();
      if (one && isOver(one)) drop(key);
      const kept = open.get(key);
      if (!kept) keep(key, host);
      if (!kept?.isReady) return null;
      stayFor(key, kept);
      const patience = new AbortController();
      const late = clock.sleep(limits.host.keptAnswerMs, patience.signal).then(() => null);
      const asked = kept.dialling.connection.call({ op, schema, input, caller: { ...caller, cwd: "" } });
      const answer = await Promise.race([asked, late]).finally(() => patience.abort());
      if (answer !== null && "result" in answer) return answer;
      const isOfTheCall = answer !== null && "error" in answer && !ofConnection.has(answer.error.code);
      if (isOfTheCall) return answer;
      // Its daemon has gone, or its network.
      drop(key);
      return null;
    },
    close() {
      isClosed = true;
      for (const key of [...open.keys()]) drop(key);
    },
  };
}

const ofConnection: ReadonlySet<string> = new Set(["stale", "daemon_down", "overloaded", "host_down"]);

function connectHost(host: RemoteHost): Dialling {
  return dial(host, { mayStart: false, dialMs: limits.host.dialMs });
}

/** Changes with the user's configuration of ssh, which may send the same name to another machine. */
function stampOfSsh(): string {
  const path = join(readEnv().HOME ?? "/", ".ssh/config");
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs} ${stat.size}` : "none";
}
