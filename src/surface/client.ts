/**
 * One connection to the daemon: frames out, rows and answers in. It never starts a daemon and never retries; a lost
 * connection is told apart from an answer, because only the caller knows whether asking again is safe.
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
  /** Rows come in order; while `onRow`'s promise is pending the daemon is not read from. Abort cancels the call. */
  call(
    call: Call,
    on?: { row?(row: Row): void | Promise<void>; signal?: AbortSignal | undefined },
  ): Promise<Answer>;
  isOpen(): boolean;
  /** Who answers: known once the first call was answered. */
  daemon(): { version: string; pid: number } | undefined;
  close(): void;
}

interface Open {
  row: ((row: Row) => void | Promise<void>) | undefined;
  /** Ends when the rows so far are taken. */
  taken: Promise<void>;
  end(answer: Answer | Error): void;
}

/**
 * The codes of a connect that found nobody there. Bun reports a sandbox's EPERM as ECONNREFUSED (measured); a daemon
 * killed before it took the connection from the kernel's queue leaves ECONNRESET (measured), and has heard nothing.
 */
const absent = new Set(["ENOENT", "ECONNREFUSED", "ECONNRESET"]);

/** Undefined when no daemon listens there. Throws `denied` where the daemon, or its directory, is not the user's own. */
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
  const { promise: late, resolve: giveUp } = Promise.withResolvers<"late">();
  const cancelLate = systemClock.after(limits.client.connectTimeoutMs, () => giveUp("late"));
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
  /** Undefined until hello was sent; then, until it is answered, the watch over that. */
  let endWatch: (() => void) | undefined;
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
    endWatch?.();
    endAll(why);
    // Last: it calls `close` at once, which would tell the calls another reason.
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
    // Read no more than was handed on: the kernel's buffers then hold the daemon back.
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
      return endWatch?.();
    }
    if ("error" in frame && frame.id === null) return endAll({ error: frame.error });
    const call = open.get(frame.id as number);
    // A text is asked for by `quick` alone.
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
          ? new DispatchError("too_large", "the daemon's answer is over the limit of one frame", {
              hint: "ask for less with --limit",
            })
          : new DispatchError("internal", "the daemon sent a line that is not JSON", { cause }),
      ),
  });

  /** The hello is answered at once by any daemon that lives; one that is stopped or hung accepts and says nothing. */
  const expectHello = () => {
    const silent = new DispatchError("daemon_down", "the daemon took the call and does not answer", {
      hint: "dispatch doctor",
    });
    endWatch = systemClock.after(helloTimeoutMs, () => drop(silent));
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
      const hello: ClientFrame[] = endWatch ? [] : [helloFrame];
      if (!endWatch) expectHello();
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
      // At once: a connection that was closed since has no descriptor to ask about.
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
