/**
 * The control socket: who may connect, and how many. Nothing listens on TCP; the directory (0700), the socket (0600)
 * and the peer's uid each keep other users out.
 */
import { readFileSync } from "node:fs";
import type { Socket } from "bun";
import type { Clock } from "../base/clock.ts";
import { DispatchError, errorMessage, fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { type Peer as Process, peerOf } from "../base/peer.ts";
import { ownUid } from "../base/privacy.ts";
import type { DaemonFrame, Hello } from "../ops/protocol.ts";
import type { Call } from "./call.ts";
import { type Connection, connection, full } from "./connection.ts";
import { type Origin, originOf } from "./origin.ts";
import { makeSocketPrivate } from "./place.ts";

export interface Control {
  connections(): number;
  /** Takes nobody new (the socket file goes), tells every call, and resolves when every answer has left. */
  finish(why: DispatchError): Promise<void>;
  /** Cuts who is still there. */
  close(): void;
}

export interface ControlOptions {
  path: string;
  hello: Hello & { pid: number };
  call: Call;
  clock: Clock;
  log: Log;
  /** The uid that may connect, how a peer is found, and what it is: parameters for tests. */
  uid?: number;
  processOf?(fd: number): Process;
  originOf?(pid: number): Origin;
  /** How many connections there is room for, beside those in reserve. */
  room?: number;
}

/** `fd` is measured to be there and is missing from the types. */
type Peer = Socket<Connection | undefined> & { fd: number };

export function openControl(options: ControlOptions): Control {
  const { path, hello, call, clock, log, uid = ownUid() } = options;
  const { processOf = peerOf, originOf: origin = originOf } = options;
  const open = new Map<Connection, Peer>();
  const room = Math.min(limits.socket.connectionsMax, options.room ?? connectionRoom());
  let lingering = 0;

  const admit = (peer: Peer) => {
    const from = originFor(peer);
    if (from instanceof DispatchError) return turnAway(peer, from);
    const one = connection({
      isReserve: open.size >= room,
      origin: from,
      hello,
      call,
      clock,
      write: (bytes) => peer.write(bytes),
      cut(why, fields) {
        log.warn("cut a connection", { why, ...fields });
        peer.terminate();
      },
    });
    peer.data = one;
    open.set(one, peer);
  };

  /** Asked once a connection: what a process is does not change while it is connected. */
  const originFor = (peer: Peer): Origin | DispatchError => {
    try {
      const who = processOf(peer.fd);
      if (who.uid !== uid)
        return new DispatchError("denied", `this daemon belongs to uid ${uid} and you are uid ${who.uid}`);
      if (open.size >= room + limits.socket.connectionsReserved) return full(open.size);
      const from = origin(who.pid);
      return from.kind === "refused" ? new DispatchError("denied", from.why) : from;
    } catch (error) {
      return new DispatchError("denied", errorMessage(error), { cause: error });
    }
  };

  /** Half closed first, and left to read: a close with bytes unread resets the connection under the words. */
  const turnAway = (peer: Peer, error: DispatchError) => {
    log.warn("refused a connection", { code: error.code, why: error.message });
    peer.write(`${JSON.stringify({ id: null, error: error.body } satisfies DaemonFrame)}\n`);
    if (lingering >= limits.socket.refusalsLingeringMax) return peer.terminate();
    lingering++;
    peer.shutdown();
    clock.after(limits.socket.refusalLingerMs, () => {
      lingering--;
      peer.terminate();
    });
  };

  /** A failure in one connection ends that one: its client is cut and not left without an answer. */
  const guarded = (peer: Bun.Socket<Connection | undefined>, fn: () => void) => {
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
      const one = peer.data;
      if (!one) return;
      open.delete(one);
      guarded(peer, () => one.gone());
    },
    error: (_peer, error) => log.debug("a connection failed", { why: errorMessage(error) }),
  });

  return {
    connections: () => open.size,
    async finish(why) {
      listener.stop();
      await Promise.all([...open.keys()].map((one) => one.finish(why)));
    },
    close() {
      for (const peer of open.values()) peer.end();
      listener.stop(true);
    },
  };
}

/**
 * As many as the process may open files for. Past its limit the runtime would be told of a waiting connection without
 * end, and could not take it.
 */
function connectionRoom(): number {
  if (process.platform !== "linux") return limits.socket.connectionsMax;
  const row = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"));
  const kept =
    limits.socket.descriptorsReserved +
    limits.socket.connectionsReserved +
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
