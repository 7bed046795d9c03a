/** One client: its lines, its calls, and its unread output. It uses the socket only through `write` and `cut`. */
import type { Clock } from "../base/clock.ts";
import { DispatchError, errorMessage, fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { lineSplitter } from "../base/lines.ts";
import { toJson } from "../base/text.ts";
import type { DaemonFrame, Hello, TextHead } from "../ops/protocol.ts";
import type { Call } from "./call.ts";
import { type CallFrame, frameOf, isId } from "./frame.ts";
import { callerFrom, type Origin, withReason } from "./origin.ts";
import { outbound } from "./outbound.ts";

export interface Connection {
  /** A call runs. */
  isBusy(): boolean;
  /** When it was last used, on the monotonic clock. Undefined while it is in use. */
  idleSince(): number | undefined;
  received(bytes: Uint8Array): void;
  drain(): void;
  /** The client has disconnected: aborts its calls and sends nothing more. */
  gone(): void;
  /** Accepts no more calls, aborts the open ones, and resolves when every answer is sent. */
  finish(why: DispatchError): Promise<void>;
}

export interface ConnectionOptions {
  /** Calls run on as many connections as may be: on one more only the vital ops run. */
  isCrowded(): boolean;
  /** Looked up once, when it is first asked for. Throws `overloaded` when that is not possible at the moment. */
  origin(): Origin;
  hello: Hello & { pid: number };
  call: Call;
  clock: Clock;
  write(bytes: Uint8Array): number;
  /** Closes the socket at once. */
  cut(why: string, fields?: Record<string, unknown>): void;
}

/** The ops that show the load and reduce it. */
const vital: ReadonlySet<string> = new Set([
  "daemon.status",
  "daemon.stop",
  "thread.list",
  "thread.get",
  "thread.stop",
  "request.list",
  "request.get",
  "request.answer",
]);

function crowded(): DispatchError {
  return new DispatchError("overloaded", "the daemon already runs calls of as many clients as it may", {
    hint: "daemon status, list, stop, request answer and down still work; end other clients first",
  });
}

export function full(): DispatchError {
  return new DispatchError("overloaded", "the daemon has as many connections as it may, and all are in use", {
    hint: "try again; if that does not help, end other clients",
  });
}

/** The client connects again when it calls. */
export function closedIdle(): DispatchError {
  return new DispatchError("overloaded", "the daemon closed this connection, which was idle, for a new one", {
    hint: "try again",
  });
}

export function connection({
  isCrowded,
  origin,
  hello,
  call,
  clock,
  write,
  cut,
}: ConnectionOptions): Connection {
  const calls = new Map<number, AbortController>();
  let idle = Promise.withResolvers<void>();
  let finishing: DispatchError | undefined;
  let isGone = false;
  let usedAt = clock.monotonic();
  const out = outbound({
    write,
    overflow: (bytes) => cut("it does not read its answers", { waiting_bytes: bytes }),
  });
  const cancelHelloTimer = clock.after(limits.socket.helloTimeoutMs, () =>
    cut("it connected and sent nothing"),
  );

  // Most reads do not ask who calls. Later its pid might be that of another process.
  const cancelLook = clock.after(limits.socket.originMs, () => {
    try {
      origin();
    } catch {
      // No file can be opened at the moment: a call that asks is told so.
    }
  });

  const send = (frame: DaemonFrame) => out.send(lineOf(frame));
  const sendText = (id: number, result: Record<string, unknown>) => {
    const text = `${toJson(result)}\n`;
    const bytes = boundedBytes(text);
    out.send(`${JSON.stringify({ id, bytes } satisfies TextHead)}\n${text}`);
  };
  const refuse = (id: number | null, error: DispatchError) => send({ id, error: error.body });

  const start = (frame: CallFrame) => {
    const { id } = frame;
    // Answered without the id: the client would read an answer with the id as the end of the running call.
    if (calls.has(id))
      return refuse(null, new DispatchError("usage", `call ${id} is still running`, { data: { id } }));
    if (finishing) return refuse(id, finishing);
    const isVital = vital.has(frame.op);
    if (!isVital && calls.size === 0 && isCrowded()) return refuse(id, crowded());
    if (calls.size >= limits.socket.callsPerConnectionMax + (isVital ? limits.socket.callsReserved : 0))
      return refuse(
        id,
        new DispatchError("overloaded", `this connection already runs ${calls.size} calls`, {
          hint: "wait for one of them to end",
        }),
      );
    const abort = new AbortController();
    calls.set(id, abort);
    const emit = async (row: Record<string, unknown>) => {
      out.send(rowLine(id, row));
      await out.room();
    };
    call({ ...frame, caller: callerFrom(origin, frame.caller) }, abort.signal, emit)
      .then((result) => (frame.as === "text" ? sendText(id, result) : send({ id, result })))
      .catch((thrown) =>
        refuse(
          id,
          thrown instanceof DispatchError
            ? withReason(thrown, origin)
            : new DispatchError("internal", errorMessage(thrown)),
        ),
      )
      // The error could not be sent either. A client that is cut calls again; without an answer it would wait for ever.
      .catch((thrown) => cut("a call could not be answered", { thrown }))
      .finally(() => {
        calls.delete(id);
        usedAt = clock.monotonic();
        if (calls.size > 0) return;
        idle.resolve();
        idle = Promise.withResolvers();
      });
  };

  const take = (line: Uint8Array) => {
    const frame = frameOf(line);
    if (frame.kind === "hello") send({ hello });
    else if (frame.kind === "cancel")
      calls.get(frame.id)?.abort(new DispatchError("timeout", "the call was cancelled"));
    else if (frame.kind === "call") start(frame.call);
    else refuseLine(frame.id, frame.error);
  };

  /** Without the id of a running call the client ends all its calls, so they end here too. */
  const refuseLine = (id: number | null, error: DispatchError) => {
    if (id !== null && !calls.has(id)) return refuse(id, error);
    refuse(null, error);
    for (const abort of calls.values()) abort.abort(error);
  };

  const lines = lineSplitter({
    lineBytesMax: limits.socket.frameBytesMax,
    onLine: take,
    readId: true,
    onOversize: ({ id }) =>
      refuseLine(
        isId(id) ? id : null,
        new DispatchError("too_large", `a frame may be ${limits.socket.frameBytesMax} bytes long`),
      ),
  });

  return {
    isBusy: () => calls.size > 0,
    idleSince() {
      if (calls.size > 0 || out.isWaiting()) return undefined;
      if (!lines.isPartial()) return usedAt;
      // The rest of a frame may come as late as a hello.
      return clock.monotonic() - usedAt < limits.socket.helloTimeoutMs ? undefined : usedAt;
    },
    received(bytes) {
      cancelHelloTimer();
      usedAt = clock.monotonic();
      if (!isGone) lines.push(bytes);
    },
    drain() {
      usedAt = clock.monotonic();
      out.drain();
    },
    gone() {
      isGone = true;
      cancelHelloTimer();
      cancelLook();
      out.close();
      for (const abort of calls.values())
        abort.abort(new DispatchError("timeout", "the client disconnected"));
    },
    async finish(why) {
      finishing = why;
      for (const abort of calls.values()) abort.abort(why);
      if (calls.size > 0) await idle.promise;
      await out.empty();
    },
  };
}

function lineOf(frame: DaemonFrame): string {
  const line = `${JSON.stringify(frame)}\n`;
  // A code unit has at most three bytes in UTF-8, so only long lines are counted.
  if (line.length * 3 > limits.socket.frameBytesMax) boundedBytes(line);
  return line;
}

/** A row that is too large for a frame is replaced by its short values and `omitted_bytes`; the stream continues. */
function rowLine(id: number, row: Record<string, unknown>): string {
  const line = `${JSON.stringify({ id, row } satisfies DaemonFrame)}\n`;
  if (line.length * 3 <= limits.socket.frameBytesMax) return line;
  const bytes = Buffer.byteLength(line);
  if (bytes <= limits.socket.frameBytesMax) return line;
  const kept = Object.entries(row).filter(([, value]) => isShort(value));
  return lineOf({ id, row: { ...Object.fromEntries(kept), omitted_bytes: bytes } });
}

function isShort(value: unknown): boolean {
  return typeof value === "string"
    ? value.length <= limits.socket.rowValueCharsMax
    : typeof value !== "object";
}

/** Throws `too_large`: a client accepts frames up to the same limit. */
function boundedBytes(answer: string): number {
  const bytes = Buffer.byteLength(answer);
  return bytes <= limits.socket.frameBytesMax
    ? bytes
    : fail("too_large", "the answer is larger than one frame may be", { hint: "use a smaller --limit" });
}
