/**
 * The frames on the control socket: one JSON object per line, in both directions. A client sends hello and its first
 * call in one write. Hello, `daemon.status` and `daemon.stop` are frozen: every version of client and daemon
 * understands them.
 *
 *   > {"hello":{"version":"0.1.0","protocol":1}}
 *   > {"id":1,"op":"thread.list","schema":"<hash>","input":{},"caller":{...}}
 *   < {"hello":{"version":"0.1.0","protocol":1,"pid":4711}}
 *   < {"id":1,"row":{...}}        any number, for streams and progress
 *   < {"id":1,"result":{...}}     or {"id":1,"error":{...}}: the end of call 1
 *   < {"id":1,"bytes":2048}       instead of a result, if the call had "as":"text": then so many bytes follow, which are
 *                               the result as indented JSON with a newline, to be printed without parsing
 *   > {"cancel":1}                the call ends with what it has, or with an error
 *
 * A line that is not a frame (not JSON, not UTF-8, over the limit) is refused under the id at its top level, and the
 * connection stays open. If no id can be found, the answer is {"id":null,"error":{...}}, and all calls of the connection
 * end. A row that is too large for a frame is replaced by its short values and "omitted_bytes".
 */
import type { ErrorBody } from "../base/error.ts";

export const protocolVersion = 1;

export interface Hello {
  version: string;
  protocol: number;
}

/** What a client may say. `person`: somebody answered a question that an MCP host showed. */
export const callerKinds = ["cli", "mcp", "person"] as const;

/** The caller as the client reports it. The daemon decides from the kernel who calls (`daemon/origin.ts`). */
export interface Caller {
  /** `tool`: a thread, by a tool of its own. No client can say that: the daemon makes such calls itself. */
  kind: (typeof callerKinds)[number] | "tool";
  /**
   * The Codex thread the caller runs in: `CODEX_THREAD_ID`, or `_meta.threadId` of an MCP call. `machine/thread`: it runs
   * on another machine.
   */
  thread_id: string | null;
  /** The client's directory. Empty: the client is on another machine, and the user's home here is meant. */
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
      /** The result as indented JSON text and not as a frame. */
      as?: "text";
    }
  | { cancel: number };

export type DaemonFrame =
  | { hello: Hello & { pid: number } }
  | { id: number; row: Record<string, unknown> }
  | { id: number; result: Record<string, unknown> }
  | { id: number | null; error: ErrorBody };

/** Announces a result in text: so many bytes follow. */
export interface TextHead {
  id: number;
  bytes: number;
}
