/**
 * Splits a byte stream into lines. Works on bytes, because a character may be cut by the edge of a chunk: decoding
 * each chunk by itself corrupts text silently (measured), still as valid JSON. The unfinished line is kept as a
 * list of parts and joined once: `rest += chunk` and a concat per chunk are quadratic (31 and 4 MB/s against 289).
 */
import { type IdScan, idScan } from "./lineid.ts";

const newline = 10;
const decoder = new TextDecoder();
const headBytes = 256;

export interface LineSplitter {
  push(chunk: Uint8Array): void;
  /** Called in `onLine`: the next `bytes` bytes are no lines, and are given to `onBlock` in one piece. */
  take(bytes: number, onBlock: (block: Uint8Array) => void): void;
  /** A line has begun and not ended. */
  isPartial(): boolean;
  /** The stream is over: what was left without its newline, if anything. */
  end(): Uint8Array | undefined;
}

export interface Oversize {
  /** Seen so far; the rest of the line, up to its newline, is dropped as it comes. */
  bytes: number;
  /** Its first bytes: enough to tell whose line it was. */
  head: Uint8Array;
  /** With `readId`: the `id` at its top level. */
  id?: number | string | undefined;
}

export function lineSplitter(to: {
  lineBytesMax: number;
  /** One line without its newline. The bytes may be a view of the chunk, and then keep all of it in memory. */
  onLine(line: Uint8Array): void;
  /** Called once for a line over the limit, as soon as it is known to be. Memory stays bounded. */
  onOversize(oversize: Oversize): void;
  /** Then `onOversize` is called when the line's id is known, at the latest at its end. */
  readId?: true;
}): LineSplitter {
  let parts: Uint8Array[] = [];
  let heldBytes = 0;
  let skipping = false;
  /** The line that is skipped, until it is reported. */
  let untold: { oversize: Oversize; scan: IdScan } | undefined;

  /** What comes instead of a line; its parts are held as those of a line are. */
  let block: { bytes: number; onBlock(block: Uint8Array): void } | undefined;

  const drop = () => {
    parts = [];
    heldBytes = 0;
  };

  const refuse = (last: Uint8Array) => {
    const bytes = heldBytes + last.length;
    const head = joined([...parts, last], Math.min(bytes, headBytes));
    if (to.readId) {
      untold = { oversize: { bytes, head }, scan: idScan() };
      for (const part of parts) untold.scan.push(part);
      drop();
      skip(last);
    } else {
      drop();
      to.onOversize({ bytes, head });
    }
  };

  const skip = (bytes: Uint8Array, isEnd = false) => {
    if (untold === undefined) return;
    const { oversize, scan } = untold;
    scan.push(bytes);
    const id = isEnd ? scan.end() : scan.id();
    if (id === undefined && !isEnd) return;
    untold = undefined;
    to.onOversize({ ...oversize, id });
  };

  const finish = (last: Uint8Array) => {
    if (skipping) {
      skipping = false;
      skip(last, true);
      return;
    }
    if (heldBytes + last.length > to.lineBytesMax) {
      refuse(last);
      skip(last.subarray(last.length), true);
      return;
    }
    const line = parts.length === 0 ? last : joined([...parts, last], heldBytes + last.length);
    drop();
    to.onLine(line);
  };

  /** Where the chunk goes on with lines. */
  const afterBlock = (chunk: Uint8Array, from: number): number => {
    if (block === undefined) return from;
    const { bytes, onBlock } = block;
    const part = chunk.subarray(from, from + bytes - heldBytes);
    parts.push(part);
    heldBytes += part.length;
    if (heldBytes === bytes) {
      const whole = parts.length === 1 ? part : joined(parts, bytes);
      block = undefined;
      drop();
      onBlock(whole);
    }
    return from + part.length;
  };

  return {
    take(bytes, onBlock) {
      block = { bytes, onBlock };
    },
    push(chunk) {
      let from = afterBlock(chunk, 0);
      for (let at = chunk.indexOf(newline, from); at !== -1; at = chunk.indexOf(newline, from)) {
        finish(chunk.subarray(from, at));
        from = afterBlock(chunk, at + 1);
      }
      if (from === chunk.length) return;
      const rest = from === 0 ? chunk : chunk.subarray(from);
      if (skipping) return skip(rest);
      if (heldBytes + rest.length > to.lineBytesMax) {
        skipping = true;
        return refuse(rest);
      }
      parts.push(rest);
      heldBytes += rest.length;
    },
    isPartial: () => heldBytes > 0 || skipping,
    end() {
      skipping = false;
      skip(new Uint8Array(), true);
      if (heldBytes === 0) return undefined;
      const rest = joined(parts, heldBytes);
      drop();
      return rest;
    },
  };
}

/**
 * A whole line as text. Ill-formed bytes become U+FFFD: the line is then counted as garbage by who parses it. A byte
 * order mark, which some programs write before all else, is no part of it.
 */
export function textOf(line: Uint8Array): string {
  return decoder.decode(line);
}

/** The first `bytes` of the parts, as one array. */
function joined(parts: Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    if (at === bytes) break;
    const take = Math.min(part.length, bytes - at);
    whole.set(take === part.length ? part : part.subarray(0, take), at);
    at += take;
  }
  return whole;
}
