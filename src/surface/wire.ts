/** The frames of one connection, whatever carries its bytes: calls go out, rows and answers come in. */
import { systemClock } from "../base/clock.ts";
import { DispatchError, type ErrorBody } from "../base/error.ts";
import type { Caller, ClientFrame, DaemonFrame, TextHead } from "../ops/protocol.ts";
import { bytesOf, frameReader, helloFrame } from "./frames.ts";
import { liveness } from "./liveness.ts";

export type Row = Record<string, unknown>;

export interface Call {
  op: string;
  schema: string;
  input: Record<string, unknown>;
  caller: Caller;
}

/** `unread`: the daemon closed an idle connection, and has not read this call. */
export type Answer = { result: Row } | { error: ErrorBody } | { lost: true; unread?: ErrorBody };

export interface Connection {
  /** Rows come in order. While the promise of `row` is pending, nothing is read. Abort cancels the call. */
  call(
    call: Call,
    on?: { row?(row: Row): void | Promise<void>; signal?: AbortSignal | undefined },
  ): Promise<Answer>;
  isOpen(): boolean;
  /** Resolves when the daemon has answered hello. Rejects when it cannot any more; then it was sent nothing else. */
  greeted(): Promise<void>;
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

/** What carries the bytes: a socket, or a program's input and output. */
export interface Pipe {
  /** The number of bytes taken. The rest is written again after `drained`. */
  write(bytes: Uint8Array): number;
  /** Nothing is read until `resume`. */
  pause(): void;
  resume(): void;
  end(): void;
}

export function openWire(helloTimeoutMs: number, silent = silentDaemon, clock = systemClock) {
  const open = new Map<number, Open>();
  let pipe: Pipe | undefined;
  const unsent: Uint8Array[] = [];
  let nextId = 1;
  /** Undefined until hello was sent. Then it cancels the deadline for the answer to hello. */
  let cancelHelloDeadline: (() => void) | undefined;
  let rowsPending = 0;
  let daemon: { version: string; pid: number } | undefined;
  /** Why the daemon refused the connection, which it may say before the first call. */
  let refusal: ErrorBody | undefined;
  const greeting = Promise.withResolvers<void>();
  // Most calls do not wait for it.
  greeting.promise.catch(() => {});

  const alive = liveness({
    clock,
    ask: () => send([helloFrame]),
    isPaused: () => rowsPending > 0,
    silent: (ms) => drop(silent(ms)),
  });
  const endAll = (answer: Answer | Error) => {
    alive.end();
    for (const call of open.values()) call.end(answer);
    open.clear();
  };
  const drop = (why: Answer | Error) => {
    const ending = pipe;
    pipe = undefined;
    cancelHelloDeadline?.();
    greeting.reject(why instanceof Error ? why : lostBeforeHello());
    endAll(why);
    // Last: it calls `close` at once, which would end the calls with another reason.
    ending?.end();
  };

  const flush = () => {
    while (pipe && unsent.length > 0) {
      const part = unsent[0]!;
      const sent = Math.max(0, pipe.write(part));
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
    if (rowsPending === 1) pipe?.pause();
    call.taken = call.taken
      .then(() => call.row?.(row))
      .catch((thrown: Error) => call.end(thrown))
      .then(() => {
        rowsPending -= 1;
        if (rowsPending === 0) pipe?.resume();
      });
  };

  const take = (frame: DaemonFrame | TextHead) => {
    if ("hello" in frame) {
      daemon = { version: frame.hello.version, pid: frame.hello.pid };
      greeting.resolve();
      if (open.size > 0) alive.begin();
      return cancelHelloDeadline?.();
    }
    if ("error" in frame && frame.id === null) {
      greeting.reject(DispatchError.fromBody(frame.error));
      if (daemon === undefined && open.size === 0) refusal = frame.error;
      else if (frame.error.code === "overloaded") return drop({ lost: true, unread: frame.error });
      return endAll({ error: frame.error });
    }
    const call = open.get(frame.id as number);
    // Only `quick` requests a text.
    if (!call || "bytes" in frame) return;
    if ("row" in frame) return takeRow(call, frame.row);
    open.delete(frame.id as number);
    if (open.size === 0) alive.end();
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

  /** The frames to send before the first call. A working daemon answers hello at once. */
  const hello = (): ClientFrame[] => {
    if (cancelHelloDeadline) return [];
    cancelHelloDeadline = clock.after(helloTimeoutMs, () => drop(silent(helloTimeoutMs)));
    return [helloFrame];
  };

  const connection: Connection = {
    call(call, on = {}) {
      if (refusal) return Promise.resolve({ error: refusal });
      if (!pipe) return Promise.resolve({ lost: true });
      const id = nextId++;
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const cancel = () => send([{ cancel: id }]);
      const end = (answer: Answer | Error) => {
        on.signal?.removeEventListener("abort", cancel);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
      // Until then the deadline of hello counts.
      if (daemon !== undefined) alive.begin();
      open.set(id, { row: on.row, taken: Promise.resolve(), end });
      send([...hello(), { id, ...call }]);
      on.signal?.addEventListener("abort", cancel, { once: true });
      if (on.signal?.aborted) cancel();
      return promise;
    },
    isOpen: () => pipe !== undefined,
    greeted() {
      const first = pipe ? hello() : [];
      if (first.length > 0) send(first);
      return greeting.promise;
    },
    daemon: () => daemon,
    close: () => drop({ lost: true }),
  };

  return {
    received(chunk: Uint8Array) {
      alive.heard();
      frames.push(chunk);
    },
    /** The other end takes bytes again. */
    drained() {
      alive.heard();
      flush();
    },
    /** The other end has gone, or gives the reason why it is of no use. */
    ended: drop,
    over(connected: Pipe): Connection {
      pipe = connected;
      return connection;
    },
  };
}

/** A stopped or hung daemon accepts the connection and sends nothing. */
function silentDaemon(ms: number): DispatchError {
  return new DispatchError("daemon_down", `the daemon has not answered for ${ms / 1000} s`, {
    hint: "dispatch doctor",
  });
}

function lostBeforeHello(): DispatchError {
  return new DispatchError("daemon_down", "the connection to the daemon was lost before it answered", {
    hint: "dispatch daemon status",
  });
}
