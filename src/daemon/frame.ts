/** Parses a line from a client. A line that is not a valid frame becomes an error. Unknown fields are ignored. */
import { DispatchError, errorMessage } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { idIn } from "../base/lineid.ts";
import { type Caller, type ClientFrame, callerKinds, type Hello } from "../ops/protocol.ts";

export type CallFrame = Extract<ClientFrame, { op: string }>;

export type Frame =
  | { kind: "hello"; hello: Hello }
  | { kind: "call"; call: CallFrame }
  | { kind: "cancel"; id: number }
  /** `id` is the id of the call, if it could be read. */
  | { kind: "bad"; id: number | null; error: DispatchError };

type Fields = Record<string, unknown>;

/** Fatal: otherwise a byte that is not UTF-8 would become U+FFFD in a text that is then delivered. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

export function frameOf(line: Uint8Array): Frame {
  let frame: unknown;
  try {
    frame = JSON.parse(utf8.decode(line));
  } catch (cause) {
    const id = idIn(line);
    return bad(isId(id) ? id : null, `the frame is not JSON in UTF-8: ${errorMessage(cause)}`);
  }
  if (!isFields(frame)) return bad(null, "the frame is not a JSON object");
  if ("hello" in frame) return helloOf(frame["hello"]);
  if ("cancel" in frame)
    return isId(frame["cancel"])
      ? { kind: "cancel", id: frame["cancel"] }
      : bad(null, "cancel must be the id of a call");
  return callOf(frame);
}

function helloOf(hello: unknown): Frame {
  if (!isFields(hello) || !isName(hello["version"]) || typeof hello["protocol"] !== "number")
    return bad(null, "hello must have a version and a protocol");
  return { kind: "hello", hello: { version: hello["version"], protocol: hello["protocol"] } };
}

function callOf(frame: Fields): Frame {
  const { id, op, schema = "", input = {}, caller } = frame;
  if (!isId(id)) return bad(null, "a call must have an id: a whole number from 0");
  if (!isName(op)) return bad(id, "op must be the name of an operation");
  if (!isName(schema)) return bad(id, "schema must be a short string");
  if (!isFields(input)) return bad(id, "input must be an object");
  const who = callerOf(caller);
  return who
    ? {
        kind: "call",
        call: { id, op, schema, input, caller: who, ...(frame["as"] === "text" ? { as: "text" } : {}) },
      }
    : bad(id, "caller must have kind, thread_id and cwd, well-formed and no longer than a path");
}

function callerOf(caller: unknown): Caller | undefined {
  if (!isFields(caller)) return undefined;
  const { kind, thread_id, cwd } = caller;
  const known = callerKinds.find((word) => word === kind);
  if (known === undefined) return undefined;
  if (typeof cwd !== "string" || Buffer.byteLength(cwd) > limits.input.wordBytesMax || !cwd.isWellFormed())
    return undefined;
  if (thread_id !== null && !isName(thread_id)) return undefined;
  return { kind: known, thread_id, cwd };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Short and well-formed, because answers, rows and the log repeat it. */
function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= limits.socket.nameCharsMax && value.isWellFormed();
}

export function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function bad(id: number | null, message: string): Frame {
  return { kind: "bad", id, error: new DispatchError("usage", message) };
}
