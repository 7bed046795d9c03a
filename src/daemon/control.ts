/**
 * The control socket: decides who may connect, and how many. Nothing listens on TCP. The mode of the directory (0700),
 * the mode of the socket (0600) and the peer's uid each exclude other users.
 */
import { readFileSync } from "node:fs";
import type { Socket } from "bun";
import type { Clock } from "../base/clock.ts";
import { DispatchError, errorMessage, fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { hasUnread, type Peer as Process, peerOf } from "../base/peer.ts";
import { ownUid } from "../base/privacy.ts";
import type { DaemonFrame, Hello } from "../ops/protocol.ts";
import type { Call } from "./call.ts";
import { type Connection, closedIdle, connection, full } from "./connection.ts";
import { type Origin, refusalOf, originOf as systemOriginOf } from "./origin.ts";
import { makeSocketPrivate } from "./socketfile.ts";

export interface Control {
  connections(): number;
  /** Removes the socket file, aborts every call, and resolves when every answer is sent. */
  finish(why: DispatchError): Promise<void>;
  /** Closes the remaining connections. */
  close(): void;
}

export interface ControlOptions {
  path: string;
  hello: Hello & { pid: number };
  call: Call;
  clock: Clock;
  log: Log;
  /** The uid that may connect, and how a peer and its origin are determined. Parameters for tests. */
  uid?: number;
  processOf?(fd: number): Process;
  originOf?(pid: number): Origin;
  /** The number of connections, without the reserved ones. */
  room?: number;
}

/** Bun's socket has `fd`, which its types do not declare (measured). */
type Peer = Socket<Connection | undefined> & { fd: number };

export function openControl(options: ControlOptions): Control {
  const { path, hello, call, clock, log, uid = ownUid() } = options;
  const { processOf = peerOf, originOf = systemOriginOf } = options;
  const open = new Map<Connection, Peer>();
  const room = Math.min(limits.socket.connectionsMax, options.room ?? connectionRoom());
  const most = room + limits.socket.connectionsReserved;
  let lingering = 0;

  /** The connection that has been idle for the longest time. Undefined when none is. */
  const longestIdle = (): [Connection, Peer] | undefined => {
    const idle = [...open].flatMap(([client, peer]) => {
      const since = client.idleSince();
      return since === undefined ? [] : [{ since, client, peer }];
    });
    // When many connect at once, calls wait in their sockets.
    const found = idle.sort((a, b) => a.since - b.since).find(({ peer }) => !hasUnread(peer.fd));
    return found && [found.client, found.peer];
  };

  const closeIdle = () => {
    while (open.size > most) if (!makeRoom()) return;
  };

  /** False when there is no room for one more, and none can be made. */
  const makeRoom = (): boolean => {
    if (open.size < most) return true;
    const idle = longestIdle();
    if (!idle) return false;
    const [client, peer] = idle;
    open.delete(client);
    // A call that is on its way is refused: it was not read, so its client may send it again.
    client.finish(closedIdle()).catch(() => {});
    dismiss(peer, closedIdle());
    return true;
  };

  const admit = (peer: Peer) => {
    const pid = admittedPid(peer);
    if (pid instanceof DispatchError) return reject(peer, pid);
    if (!makeRoom()) {
      // When many connect at once, none of them has been read yet. A moment later it is known which ones are idle.
      if (open.size >= most + limits.socket.burstMax) return reject(peer, full());
      clock.after(limits.socket.burstMs, closeIdle);
    }
    let found: Origin | undefined;
    const accepted = connection({
      isCrowded: () => busy() >= room,
      origin: () => {
        found ??= originFor(pid);
        return found;
      },
      hello,
      call,
      clock,
      write: (bytes) => peer.write(bytes),
      cut(why, fields) {
        log.warn("cut a connection", { why, ...fields });
        peer.terminate();
      },
    });
    peer.data = accepted;
    open.set(accepted, peer);
  };

  const admittedPid = (peer: Peer): number | DispatchError => {
    try {
      const who = processOf(peer.fd);
      if (who.uid !== uid)
        return new DispatchError("denied", `this daemon belongs to uid ${uid} and you are uid ${who.uid}`);
      const why = refusalOf(who.pid);
      return why === undefined ? who.pid : new DispatchError("denied", why);
    } catch (error) {
      return isShortage(error) ? error : new DispatchError("denied", errorMessage(error), { cause: error });
    }
  };

  const originFor = (pid: number): Origin => {
    try {
      return originOf(pid);
    } catch (error) {
      // It is looked up again at the next call.
      if (isShortage(error)) throw error;
      return { kind: "refused", why: errorMessage(error) };
    }
  };

  /** Connections with calls. */
  const busy = () => {
    let count = 0;
    for (const client of open.keys()) if (client.isBusy()) count++;
    return count;
  };

  const reject = (peer: Peer, error: DispatchError) => {
    log.warn("refused a connection", { code: error.code, why: error.message });
    dismiss(peer, error);
  };

  /** Half closes the connection first: a close with unread bytes would reset it before the client reads the error. */
  const dismiss = (peer: Peer, error: DispatchError) => {
    peer.write(`${JSON.stringify({ id: null, error: error.body } satisfies DaemonFrame)}\n`);
    if (lingering >= limits.socket.refusalsLingeringMax) return peer.terminate();
    lingering++;
    peer.shutdown();
    clock.after(limits.socket.refusalLingerMs, () => {
      lingering--;
      peer.terminate();
    });
  };

  /** A failure in one connection closes only that connection, so that its client does not wait for ever. */
  const guarded = (peer: Socket<Connection | undefined>, fn: () => void) => {
    try {
      fn();
    } catch (thrown) {
      log.error("a connection failed", { thrown });
      peer.terminate();
    }
  };

  const listener = listenOn(path, {
    open: (peer) => guarded(peer, () => admit(peer as Peer)),
    data: (peer, bytes) => guarded(peer, () => peer.data?.received(bytes)),
    drain: (peer) => guarded(peer, () => peer.data?.drain()),
    close(peer) {
      const closed = peer.data;
      if (!closed) return;
      open.delete(closed);
      guarded(peer, () => closed.gone());
    },
    error: (_peer, error) => log.debug("a connection failed", { why: errorMessage(error) }),
  });

  return {
    connections: () => open.size,
    async finish(why) {
      listener.stop();
      await Promise.all([...open.keys()].map((client) => client.finish(why)));
    },
    close() {
      for (const peer of open.values()) peer.end();
      listener.stop(true);
    },
  };
}

function isShortage(thrown: unknown): thrown is DispatchError {
  return thrown instanceof DispatchError && thrown.code === "overloaded";
}

/**
 * Limited by the process's number of open files. Over that limit the kernel reports a waiting connection again and
 * again, and the runtime cannot accept it.
 */
function connectionRoom(): number {
  if (process.platform !== "linux") return limits.socket.connectionsMax;
  const row = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"));
  const kept =
    limits.socket.descriptorsReserved +
    limits.socket.connectionsReserved +
    limits.socket.burstMax +
    limits.socket.refusalsLingeringMax;
  return row ? Math.max(0, Number(row[1]) - kept) : limits.socket.connectionsMax;
}

function listenOn(path: string, socket: Bun.SocketHandler<Connection | undefined>) {
  try {
    const listener = Bun.listen<Connection | undefined>({ unix: path, data: undefined, socket });
    makeSocketPrivate(path);
    return listener;
  } catch (cause) {
    return fail("storage", `could not listen on ${path}: ${errorMessage(cause)}`, {
      hint: "dispatch doctor",
      cause,
    });
  }
}
