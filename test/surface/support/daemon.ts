/** A control server of the least kind: it speaks the frames and answers what it is told to, op by op. */
import type { ErrorBody } from "../../../src/base/error.ts";
import { lineSplitter, textOf } from "../../../src/base/lines.ts";
import { toJson } from "../../../src/base/text.ts";
import { version as ours } from "../../../src/base/version.ts";
import type { Call, Row } from "../../../src/surface/wire.ts";

export interface Asked extends Call {
  id: number;
  as?: "text";
}

export interface Reply {
  row(row: Row): void;
  result(result: Row): void;
  /** As a daemon answers that knows of no text. */
  frame(result: Row): void;
  /** Announces a text of that size, which never comes. */
  announce(bytes: number): void;
  error(error: Partial<ErrorBody>): void;
  /** Closes the connection as an idle one, without having read the call. */
  dismiss(): void;
  /** Dies under the call. */
  hangUp(): void;
}

export interface FakeDaemon {
  /** Every chunk as it came: one element is one write, when writes are small. */
  chunks: string[];
  calls: Asked[];
  cancelled: number[];
  /** What the last peer has not taken yet. */
  unsentBytes(): number;
  stop(): void;
}

export type Behaviour = (call: Asked, reply: Reply) => void;

interface Peer {
  take(chunk: Uint8Array): void;
}

export function fakeDaemon(path: string, behave: Behaviour, version = ours): FakeDaemon {
  let unsentBytes = () => 0;
  const seen: Omit<FakeDaemon, "stop"> = {
    chunks: [],
    calls: [],
    cancelled: [],
    unsentBytes: () => unsentBytes(),
  };

  const peer = (socket: Bun.Socket<Peer>): Peer => {
    let unsent = Buffer.alloc(0);
    unsentBytes = () => unsent.length;
    const write = (frame: unknown) => {
      unsent = Buffer.concat([unsent, Buffer.from(`${JSON.stringify(frame)}\n`)]);
      flush();
    };
    const show = (id: number, result: Row) => {
      const text = Buffer.from(`${toJson(result)}\n`);
      write({ id, bytes: text.length });
      unsent = Buffer.concat([unsent, text]);
      flush();
    };
    const flush = () => {
      if (unsent.length > 0) unsent = unsent.subarray(Math.max(0, socket.write(unsent)));
    };
    flushes.set(socket, flush);
    const lines = lineSplitter({
      lineBytesMax: 16 * 1024 * 1024,
      onOversize: () => {},
      onLine(line) {
        const frame = JSON.parse(textOf(line)) as { hello?: unknown; cancel?: number } & Asked;
        if (frame.hello) return write({ hello: { version, protocol: 1, pid: process.pid } });
        if (frame.cancel !== undefined) {
          seen.cancelled.push(frame.cancel);
          return write({ id: frame.cancel, error: body({ code: "timeout", message: "cancelled" }) });
        }
        seen.calls.push(frame);
        const { id } = frame;
        behave(frame, {
          row: (row) => write({ id, row }),
          result: (result) => (frame.as === "text" ? show(id, result) : write({ id, result })),
          frame: (result) => write({ id, result }),
          announce: (bytes) => write({ id, bytes }),
          error: (error) => write({ id, error: body(error) }),
          dismiss() {
            seen.calls.pop();
            write({ id: null, error: body({ code: "overloaded", message: "closed", retry: "later" }) });
            socket.end();
          },
          hangUp: () => socket.end(),
        });
      },
    });
    return {
      take(chunk) {
        seen.chunks.push(Buffer.from(chunk).toString());
        lines.push(chunk);
      },
    };
  };

  const flushes = new WeakMap<object, () => void>();
  const server = Bun.listen<Peer>({
    unix: path,
    socket: {
      open(socket) {
        socket.data = peer(socket);
      },
      data: (socket, chunk) => socket.data.take(chunk),
      drain: (socket) => flushes.get(socket)?.(),
      error() {},
    },
  });
  return { ...seen, stop: () => server.stop(true) };
}

function body(error: Partial<ErrorBody>): ErrorBody {
  return { code: "internal", message: "", hint: null, retry: "no", data: null, ...error };
}

/** Answers each op of `ops.ts` with something that fits. */
export const agreeable: Behaviour = (call, reply) => {
  const answers: Record<string, Row> = {
    "thread.list": {
      threads: [
        { ref: "abc123", title: "docs" },
        { ref: "bcd234", title: "evil \u001b[2J\u202e" },
      ],
    },
    "thread.get": { ref: "abc123", title: "docs" },
    "message.send": { receipt: "r-1" },
    "thread.forget": { ref: "abc123" },
    "event.watch": { events: 3 },
    "thread.wait": { failed: true },
    "daemon.status": { pid: process.pid },
  };
  if (call.op === "event.watch" || call.op === "thread.wait") for (const n of [1, 2, 3]) reply.row({ n });
  reply.result(answers[call.op] ?? {});
};
