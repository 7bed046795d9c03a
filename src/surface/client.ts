/**
 * Connects to the daemon of this machine. It never starts a daemon and never retries. A lost connection is its own kind of
 * answer, because only the caller knows whether a retry is safe.
 */
import { systemClock } from "../base/clock.ts";
import { DispatchError, fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { directoryTrust, peerTrust } from "./trust.ts";
import { type Connection, openWire, type Pipe } from "./wire.ts";

/**
 * The codes of a connect that found no daemon. Bun reports a sandbox's EPERM as ECONNREFUSED (measured). A daemon that
 * was killed before it accepted the connection leaves ECONNRESET (measured), and has read nothing.
 */
const absent = new Set(["ENOENT", "ECONNREFUSED", "ECONNRESET"]);

/** Throws as `connectSocket`. */
export async function connect(
  path: string,
  helloTimeoutMs: number = limits.socket.helloTimeoutMs,
): Promise<Connection | undefined> {
  const wire = openWire(helloTimeoutMs);
  const socket = await connectSocket(path, {
    data: wire.received,
    drain: wire.drained,
    close: () => wire.ended({ lost: true }),
  });
  return socket && wire.over(socket as unknown as Pipe);
}

/**
 * Undefined when no daemon listens at `path`. Throws `denied` when the daemon or its directory belongs to another user,
 * `daemon_down` after `limits.client.connectTimeoutMs`, `usage` when the path is too long for a socket.
 */
export async function connectSocket(
  path: string,
  on: { data(chunk: Uint8Array): void; drain(): void; close(): void },
): Promise<Bun.Socket | undefined> {
  if (Buffer.byteLength(path) > limits.socket.pathBytesMax)
    return fail("usage", `the socket path is longer than ${limits.socket.pathBytesMax} bytes: ${path}`, {
      hint: "set DISPATCH_SOCKET to a shorter path",
    });
  let foreign: DispatchError | undefined;
  const handlers = {
    // At once: a closed connection has no file descriptor to check.
    open: (opened: Bun.Socket) => {
      foreign = peerTrust(opened);
    },
    data: (_: unknown, chunk: Uint8Array) => on.data(chunk),
    drain: on.drain,
    close: on.close,
    error: on.close,
    connectError: () => {},
  };
  const { promise: late, resolve: expire } = Promise.withResolvers<"late">();
  const cancelLate = systemClock.after(limits.client.connectTimeoutMs, () => expire("late"));
  try {
    const socket = await Promise.race([late, Bun.connect({ unix: path, socket: handlers })]);
    if (socket === "late")
      return fail(
        "daemon_down",
        `no connection to ${path} within ${limits.client.connectTimeoutMs / 1000} s`,
      );
    const wrong = directoryTrust(path) ?? foreign;
    if (wrong) {
      socket.terminate();
      throw wrong;
    }
    return socket;
  } catch (cause) {
    const code = (cause as { code?: string }).code ?? "";
    if (absent.has(code)) return undefined;
    if (cause instanceof DispatchError) throw cause;
    return fail(
      code === "EACCES" || code === "EPERM" ? "denied" : "daemon_down",
      `could not connect to ${path}: ${code}`,
      { cause },
    );
  } finally {
    cancelLate();
  }
}
