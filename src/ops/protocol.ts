/**
 * The frames on the control socket: one JSON object a line, both ways. Hello and the first call travel in one write.
 * Hello, `daemon.status` and `daemon.stop` are frozen: every client and every daemon understands them for ever.
 *
 *   > {"hello":{"version":"0.1.0","protocol":1}}
 *   > {"id":1,"op":"thread.list","schema":"<hash>","input":{},"caller":{...}}
 *   < {"hello":{"version":"0.1.0","protocol":1,"pid":4711}}
 *   < {"id":1,"row":{...}}        any number, for streams and progress
 *   < {"id":1,"result":{...}}     or {"id":1,"error":{...}}: the end of call 1
 *   < {"id":1,"bytes":2048}       instead of a result, where the call said "as":"text": then come so many bytes, which are
 *                               the result as it is shown, indented and with its newline, to be passed on unread
 *   > {"cancel":1}                the call ends with what it has, or with an error
 *
 * A line that is no frame (no JSON, no UTF-8, over the limit) is refused under the id at its top level, and the connection
 * stays. Where no id can be found it is answered with {"id":null,"error":{...}}, and all calls of the connection end.
 * A row that no frame holds is left out: its short values and "omitted_bytes" come in its place.
 */
import type { ErrorBody } from "../base/error.ts";

export const protocolVersion = 1;

export interface Hello {
  version: string;
  protocol: number;
}

/** Who calls. A claim of the same user: rules about agents are guard rails, not a boundary. */
export interface Caller {
  kind: "cli" | "mcp";
  /** The Codex thread the caller runs in: `CODEX_THREAD_ID`, or `_meta.threadId` of an MCP call. */
  thread_id: string | null;
  /** The client's directory. */
  cwd: string;
}

export type ClientFrame =
  | { hello: Hello }
  | {
      id: number;
      op: string;
      schema: string;
      input: Record<string, unknown>;
      caller: Caller;
      /** The result as JSON to be shown, and not as a frame. */
      as?: "text";
    }
  | { cancel: number };

export type DaemonFrame =
  | { hello: Hello & { pid: number } }
  | { id: number; row: Record<string, unknown> }
  | { id: number; result: Record<string, unknown> }
  | { id: number | null; error: ErrorBody };

/** Before a result in text. */
export interface TextHead {
  id: number;
  bytes: number;
}
