/**
 * Finds the `id` at the top level of a JSON object byte by byte, also in a line that is too long to keep, is not UTF-8,
 * or is cut. So an error reaches its call, and no caller waits for ever.
 */
import { limits } from "./limits.ts";

export interface IdScan {
  push(bytes: Uint8Array): void;
  /** A number or a string; undefined when none was seen so far. The first one counts. */
  id(): number | string | undefined;
  /** The same when the line is over: it may have broken off right after its id. */
  end(): number | string | undefined;
}

const [quote, backslash, colon, comma] = [0x22, 0x5c, 0x3a, 0x2c];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

export function idScan(): IdScan {
  let depth = 0;
  let inString = false;
  let isEscaped = false;
  /** The text of the top-level key or value that is being read. Undefined when it is not needed. */
  let token: number[] | undefined;
  let key: unknown;
  let isValue = false;
  let found: number | string | undefined;
  let isOver = false;

  const keep = (byte: number) => {
    if (token === undefined) return;
    if (token.length === limits.socket.lineIdBytesMax) token = undefined;
    else token.push(byte);
  };
  const endValue = () => {
    const value = isValue && key === "id" ? parsed(token) : undefined;
    if (typeof value === "string" || typeof value === "number") found = value;
    isValue = false;
    token = [];
  };

  const outside = (byte: number) => {
    if (byte === quote) inString = true;
    if (byte === openBrace || byte === openBracket) {
      if (depth === 0 && byte === openBracket) isOver = true;
      depth++;
      // At the top level keys and values are read; what is nested is no id.
      token = depth === 1 ? [] : undefined;
    } else if (byte === closeBrace || byte === closeBracket) {
      depth--;
      if (depth === 0) {
        endValue();
        isOver = true;
      }
    } else if (depth === 1 && byte === colon && !isValue) {
      key = parsed(token);
      isValue = true;
      token = [];
    } else if (depth === 1 && byte === comma) endValue();
    else if (depth === 1) keep(byte);
  };

  const inside = (byte: number) => {
    if (depth === 1) keep(byte);
    if (isEscaped) isEscaped = false;
    else if (byte === backslash) isEscaped = true;
    else if (byte === quote) inString = false;
  };

  return {
    push(bytes) {
      for (let at = 0; at < bytes.length && found === undefined && !isOver; at++) {
        if (inString) inside(bytes[at]!);
        else outside(bytes[at]!);
      }
    },
    id: () => found,
    end() {
      if (found === undefined && !isOver && !inString) endValue();
      return found;
    },
  };
}

/** The id of a whole line. */
export function idIn(line: Uint8Array): number | string | undefined {
  const scan = idScan();
  scan.push(line);
  return scan.end();
}

function parsed(token: number[] | undefined): unknown {
  if (token === undefined) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(token)));
  } catch {
    // Whatever it is, it is no id.
    return undefined;
  }
}
