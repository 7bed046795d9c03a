/**
 * One connection to the daemon: it sends frames and receives rows and answers. It never starts a daemon and never
 * retries. A lost connection is its own kind of answer, because only the caller knows whether a retry is safe.
 */
import { systemClock } from "../base/clock.ts";
import { DispatchError, type ErrorBody, fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Caller, ClientFrame, DaemonFrame, TextHead } from "../ops/protocol.ts";
import { bytesOf, frameReader, helloFrame } from "./frames.ts";
import { directoryTrust, peerTrust } from "./trust.ts";

export type Row = Record<string, unknown>;

export interface Call {
  op: string;
  schema: string;
  input: Record<string, unknown>;
  caller: Caller;
}

export type Answer = { result: Row } | { error: ErrorBody } | { lost: true };

export interface Connection {
  /** Rows come in order. While the promise of `row` is pending, nothing is read. Abort cancels the call. */
  call(
    call: Call,
    on?: { row?(row: Row): void | Promise<void>; signal?: AbortSignal | undefined },
  ): Promise<Answer>;
  isOpen(): boolean;
  /** Version and pid of the daemon. Known once the first call was answered. */
  daemon(): { version: string; pid: number } | undefined;
  close(): void;
}

interface Open {
  row: ((row: Row) => void | Promise<void>) | undefined;
  /** Resolves when `row` has handled the rows so far. */
  taken: Promise<void>;
  end(answer: Answer | Error): void;
}

/**
 * The codes of a connect that found no daemon. Bun reports a sandbox's EPERM as ECONNREFUSED (measured). A daemon that
 * was killed before it accepted the connection leaves ECONNRESET (measured), and has read nothing.
 */
const absent = new Set(["ENOENT", "ECONNREFUSED", "ECONNRESET"]);

/**
 * Undefined when no daemon listens at `path`. Throws `denied` when the daemon or its directory belongs to another user,
 * `daemon_down` after `limits.client.connectTimeoutMs`, `usage` when the path is too long for a socket.
 */
export async function connect(
  path: string,
  helloTimeoutMs: number = limits.socket.helloTimeoutMs,
): Promise<Connection | undefined> {
  if (Buffer.byteLength(path) > limits.socket.pathBytesMax)
    return fail("usage", `the socket path is longer than ${limits.socket.pathBytesMax} bytes: ${path}`, {
      hint: "set DISPATCH_SOCKET to a shorter path",
    });
  const wire = openWire(helloTimeoutMs);
  const trust = directoryTrust(path);
  const { promise: late, resolve: expire } = Promise.withResolvers<"late">();
  const cancelLate = systemClock.after(limits.client.connectTimeoutMs, () => expire("late"));
  try {
    const socket = await Promise.race([late, Bun.connect({ unix: path, socket: wire.handlers })]);
    if (socket === "late")
      return fail(
        "daemon_down",
        `no connection to ${path} within ${limits.client.connectTimeoutMs / 1000} s`,
      );
    const foreign = (await trust) ?? wire.foreign();
    if (foreign) {
      socket.terminate();
      throw foreign;
    }
    return wire.over(socket);
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

function openWire(helloTimeoutMs: number) {
  const open = new Map<number, Open>();
  let socket: Bun.Socket | undefined;
  const unsent: Uint8Array[] = [];
  let nextId = 1;
  /** Undefined until hello was sent. Then it cancels the deadline for the answer to hello. */
  let cancelHelloDeadline: (() => void) | undefined;
  let rowsPending = 0;
  let daemon: { version: string; pid: number } | undefined;
  let foreign: DispatchError | undefined;

  const endAll = (answer: Answer | Error) => {
    for (const call of open.values()) call.end(answer);
    open.clear();
  };
  const drop = (why: Answer | Error) => {
    const ending = socket;
    socket = undefined;
    cancelHelloDeadline?.();
    endAll(why);
    // Last: it calls `close` at once, which would end the calls with another reason.
    ending?.end();
  };

  const flush = () => {
    while (socket && unsent.length > 0) {
      const part = unsent[0]!;
      const sent = Math.max(0, socket.write(part));
      if (sent < part.length) {
        unsent[0] = part.subarray(sent);
        return;
      }
      unsent.shift();
    }
  };
  const send = (frames: ClientFrame[]) => {
    unsent.push(bytesOf(frames));
    flush();
  };

  const takeRow = (call: Open, row: Row) => {
    if (!call.row) return;
    // Read no more than was handled: the kernel's buffers fill, and the daemon waits.
    rowsPending += 1;
    if (rowsPending === 1) socket?.pause();
    call.taken = call.taken
      .then(() => call.row?.(row))
      .catch((thrown: Error) => call.end(thrown))
      .then(() => {
        rowsPending -= 1;
        if (rowsPending === 0) socket?.resume();
      });
  };

  const take = (frame: DaemonFrame | TextHead) => {
    if ("hello" in frame) {
      daemon = { version: frame.hello.version, pid: frame.hello.pid };
      return cancelHelloDeadline?.();
    }
    if ("error" in frame && frame.id === null) return endAll({ error: frame.error });
    const call = open.get(frame.id as number);
    // Only `quick` requests a text.
    if (!call || "bytes" in frame) return;
    if ("row" in frame) return takeRow(call, frame.row);
    open.delete(frame.id as number);
    const answer = "error" in frame ? { error: frame.error } : { result: frame.result };
    call.taken.then(() => call.end(answer)).catch(call.end);
  };

  const frames = frameReader({
    onFrame: take,
    onText() {},
    onBroken: (why, cause) =>
      drop(
        why === "too_long"
          ? new DispatchError("too_large", "the daemon's answer is larger than one frame may be", {
              hint: "use a smaller --limit",
            })
          : new DispatchError("internal", "the daemon sent a line that is not JSON", { cause }),
      ),
  });

  /** A working daemon answers hello at once. A stopped or hung one accepts the connection and sends nothing. */
  const expectHello = () => {
    const silent = new DispatchError(
      "daemon_down",
      "the daemon accepted the connection and does not answer",
      {
        hint: "dispatch doctor",
      },
    );
    cancelHelloDeadline = systemClock.after(helloTimeoutMs, () => drop(silent));
  };

  const connection: Connection = {
    call(call, on = {}) {
      if (!socket) return Promise.resolve({ lost: true });
      const id = nextId++;
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const cancel = () => send([{ cancel: id }]);
      const end = (answer: Answer | Error) => {
        on.signal?.removeEventListener("abort", cancel);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
      open.set(id, { row: on.row, taken: Promise.resolve(), end });
      const hello: ClientFrame[] = cancelHelloDeadline ? [] : [helloFrame];
      if (!cancelHelloDeadline) expectHello();
      send([...hello, { id, ...call }]);
      on.signal?.addEventListener("abort", cancel, { once: true });
      if (on.signal?.aborted) cancel();
      return promise;
    },
    isOpen: () => socket !== undefined,
    daemon: () => daemon,
    close: () => drop({ lost: true }),
  };

  return {
    foreign: () => foreign,
    handlers: {
      // At once: a closed connection has no file descriptor to check.
      open: (opened: Bun.Socket) => {
        foreign = peerTrust(opened);
      },
      data: (_: unknown, chunk: Uint8Array) => frames.push(chunk),
      drain: flush,
      close: () => drop({ lost: true }),
      error: () => drop({ lost: true }),
      connectError: () => {},
    },
    over(connected: Bun.Socket): Connection {
      socket = connected;
      return connection;
    },
  };
}
