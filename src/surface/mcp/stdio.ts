/**
 * A transport for the MCP SDK over standard input and output. It replaces the SDK's own: it limits the length of a line,
 * detects the end of the input, writes every answer whole before the process exits, and does not use `process.stdout`.
 */
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { type JSONRPCMessage, JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js";
import { type Code, errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { idIn } from "../../base/lineid.ts";
import { lineSplitter } from "../../base/lines.ts";
import { writeOut } from "../../base/stdio.ts";

export interface StdioTransport extends Transport {
  /** Resolves when the host has closed our input, or does not read our output any more. */
  ended: Promise<void>;
  /** Resolves when everything that was sent is written. Throws `storage` when something could not be: a full device. */
  flushed(): Promise<void>;
}

export function stdioTransport(input: ReadableStream<Uint8Array> = Bun.stdin.stream()): StdioTransport {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let written: Promise<void> = Promise.resolve();
  let failure: unknown;

  const write = (message: unknown): Promise<void> => {
    written = written
      .then(async () => {
        if (!(await writeOut(`${JSON.stringify(message)}\n`))) end();
      })
      .catch((thrown: unknown) => {
        failure ??= thrown;
        end();
      });
    return written;
  };
  const refuse = (id: unknown, code: number, ours: Code, message: string) =>
    write({ jsonrpc: "2.0", id: id ?? null, error: { code, message, data: { code: ours } } });

  const take = (line: Uint8Array) => {
    if (line.length === 0) return;
    const message = messageOf(line);
    if (message === undefined) return refuse(idIn(line), -32700, "usage", "the message is not JSON in UTF-8");
    const checked = JSONRPCMessageSchema.safeParse(message);
    if (!checked.success) return refuse(idIn(line), -32600, "usage", "the message is not JSON-RPC");
    try {
      transport.onmessage?.(withoutTask(checked.data as JSONRPCMessage));
    } catch (thrown) {
      refuse(idIn(line), -32603, "internal", `this is a bug in dispatch: ${errorMessage(thrown)}`);
    }
  };
  const lines = lineSplitter({
    lineBytesMax: limits.socket.frameBytesMax,
    onLine: take,
    readId: true,
    onOversize: ({ id }) =>
      refuse(id, -32600, "too_large", `the message is over ${limits.socket.frameBytesMax} bytes`),
  });

  const transport: StdioTransport = {
    ended,
    flushed: () =>
      written.then(() => {
        if (failure) throw failure;
      }),
    async start() {
      // Whether the input ends or fails, no more messages come.
      read(input, (chunk) => lines.push(chunk)).then(end, end);
    },
    send: write,
    async close() {
      transport.onclose?.();
    },
  };
  return transport;
}

/**
 * A host may ask for a call as a task, of which it would fetch the result later. The SDK refuses such a call of a server
 * without tasks; the protocol wants it served as an ordinary one.
 */
function withoutTask(message: JSONRPCMessage): JSONRPCMessage {
  if (!("params" in message) || message.params?.["task"] === undefined) return message;
  const { task: _, ...params } = message.params;
  return { ...message, params } as JSONRPCMessage;
}

async function read(input: ReadableStream<Uint8Array>, take: (chunk: Uint8Array) => void): Promise<void> {
  for await (const chunk of input) take(chunk);
}

/** Fatal: otherwise a byte that is not UTF-8 would become U+FFFD in a text that is then delivered. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

function messageOf(line: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(line));
  } catch {
    // The caller answers with an error: undefined is not a JSON value.
    return undefined;
  }
}
