/**
 * An ad-hoc signature for a Mach-O executable, the one that a linker makes on a Mac. Bun signs what it compiles for
 * arm64. For x64 it leaves the signature of its own runtime, whose hashes are wrong then, and macOS may end such a
 * program when it reads a changed page.
 */
import { createHash } from "node:crypto";

const [lcSegment, lcCodeSignature] = [0x19, 0x1d];
const [superBlobMagic, directoryMagic] = [0xfade0cc0, 0xfade0c02];
const pageBits = 12;
const page = 2 ** pageBits;
/** Ad hoc, and made by a linker: `codesign` may replace it. */
const flags = 0x20002;
const version = 0x20400;
const headerBytes = 88;
/** Of a main executable. */
const execSegmentMain = 1n;

/** Returns the signed file. `identifier`: the name in the signature. Throws when it has no signature to replace. */
export function signAdHoc(bytes: Uint8Array, identifier: string): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { command, linkedit, text } = commandsOf(view);
  const end = view.getUint32(command + 8, true);
  const name = new TextEncoder().encode(`${identifier}\0`);
  const pages = Math.ceil(end / page);
  const hashesAt = headerBytes + name.length;
  const directoryBytes = hashesAt + pages * 32;
  const size = 20 + directoryBytes;
  const signed = new Uint8Array(end + align(size, 16));
  signed.set(bytes.subarray(0, end));
  const out = new DataView(signed.buffer);

  // The commands come first: they are in the pages that are hashed.
  out.setUint32(command + 12, align(size, 16), true);
  const linkeditAt = Number(view.getBigUint64(linkedit + 40, true));
  out.setBigUint64(linkedit + 48, BigInt(signed.length - linkeditAt), true);
  out.setBigUint64(linkedit + 32, BigInt(align(signed.length - linkeditAt, 2 ** 14)), true);

  const words = (at: number, ...all: number[]) => {
    for (const [n, word] of all.entries()) out.setUint32(at + n * 4, word);
  };
  words(end, superBlobMagic, size, 1, 0, 20);
  const directory = end + 20;
  words(directory, directoryMagic, directoryBytes, version, flags, hashesAt, headerBytes, 0, pages, end);
  // Bytes of a hash, SHA-256, no platform.
  signed.set([32, 2, 0, pageBits], directory + 36);
  out.setBigUint64(directory + 64, view.getBigUint64(text + 40, true));
  out.setBigUint64(directory + 72, view.getBigUint64(text + 48, true));
  out.setBigUint64(directory + 80, execSegmentMain);
  signed.set(name, directory + headerBytes);
  for (let n = 0; n < pages; n++) {
    const hashed = signed.subarray(n * page, Math.min((n + 1) * page, end));
    signed.set(createHash("sha256").update(hashed).digest(), directory + hashesAt + n * 32);
  }
  return signed;
}

/** Where the load commands are that a signature changes. */
function commandsOf(view: DataView): { command: number; linkedit: number; text: number } {
  const found: { command?: number; linkedit?: number; text?: number } = {};
  let at = 32;
  for (let n = view.getUint32(16, true); n > 0; n--) {
    const kind = view.getUint32(at, true);
    if (kind === lcCodeSignature) found.command = at;
    if (kind === lcSegment) {
      const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 8, 16));
      if (name.startsWith("__LINKEDIT\0")) found.linkedit = at;
      if (name.startsWith("__TEXT\0")) found.text = at;
    }
    at += view.getUint32(at + 4, true);
  }
  const { command, linkedit, text } = found;
  if (command === undefined || linkedit === undefined || text === undefined)
    throw new Error("the executable has no signature that could be replaced");
  return { command, linkedit, text };
}

function align(n: number, to: number): number {
  return Math.ceil(n / to) * to;
}
