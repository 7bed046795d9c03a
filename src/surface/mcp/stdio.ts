/**
 * The SDK's transport over standard input and output, ours instead of its own: lines are bounded, the end of the
 * input is noticed, every answer is written whole before the process may go, and `process.stdout` is not touched.
 */
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { type JSONRPCMessage, JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js";
import { limits } from "../../base/limits.ts";
import { lineSplitter, textOf } from "../../base/lines.ts";
import { writeOut } from "../../base/stdio.ts";

export interface StdioTransport extends Transport {
  /** Resolves when the host closed our input, or reads no more. */
  ended: Promise<void>;
  /** Resolves when all that was sent is written. */
  flushed(): Promise<void>;
}

export function stdioTransport(input: ReadableStream<Uint8Array> = Bun.stdin.stream()): StdioTransport {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let written: Promise<void> = Promise.resolve();

  const write = (message: unknown): Promise<void> => {
    written = written.then(async () => {
      if (!(await writeOut(`${JSON.stringify(message)}\n`))) end();
    });
    return written;
  };
  const refuse = (code: number, message: string) =>
    void write({ jsonrpc: "2.0", id: null, error: { code, message } });

  const take = (line: Uint8Array) => {
    if (line.length === 0) return;
    const message = messageOf(line);
    if (message === undefined) return refuse(-32700, "not JSON");
    const checked = JSONRPCMessageSchema.safeParse(message);
    if (!checked.success) return refuse(-32600, "not a JSON-RPC message");
    transport.onmessage?.(checked.data as JSONRPCMessage);
  };
  const lines = lineSplitter({
    lineBytesMax: limits.frameBytesMax,
    onLine: take,
    onOversize: () => refuse(-32600, "the message is too large"),
  });

  const transport: StdioTransport = {
    ended,
    flushed: () => written,
    async start() {
      void read(input, (chunk) => lines.push(chunk)).then(end);
    },
    send: write,
    async close() {
      transport.onclose?.();
    },
  };
  return transport;
}

async function read(input: ReadableStream<Uint8Array>, take: (chunk: Uint8Array) => void): Promise<void> {
  for await (const chunk of input) take(chunk);
}

function messageOf(line: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(line));
  } catch {
    // Whatever it was, it is answered: undefined is no JSON value.
    return undefined;
  }
}
