/** What an executable is: ELF or Mach-O, for which processor, and what it needs of the system. */
import { createHash } from "node:crypto";

export interface Binary {
  format: "elf" | "macho";
  arch: "x64" | "arm64";
  /** ELF: the dynamic loader, which tells glibc from musl. */
  interpreter?: string;
  /** ELF: shared libraries. */
  needs?: string[];
  /** ELF: the newest glibc that a symbol asks for. Undefined without one. */
  glibc?: string | undefined;
  /** Mach-O: the oldest macOS. */
  macos?: string | undefined;
  /** Mach-O: has a signature whose hash of each page is right. macOS on arm64 ends a program without one. */
  isSigned?: boolean;
}

/** Throws when it is neither. */
export function binaryOf(bytes: Uint8Array): Binary {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, false) === 0x7f454c46) return elf(view);
  if (view.getUint32(0, true) === 0xfeedfacf) return macho(view);
  throw new Error("it is neither an ELF nor a 64-bit Mach-O executable");
}

const elfMachines: Readonly<Record<number, Binary["arch"]>> = { 62: "x64", 183: "arm64" };
const [ptLoad, ptDynamic, ptInterp] = [1, 2, 3];
const [dtNeeded, dtStrtab, dtVerneed, dtVerneednum] = [1, 5, 0x6ffffffe, 0x6fffffff];

function elf(view: DataView): Binary {
  if (view.getUint8(4) !== 2 || view.getUint8(5) !== 1) throw new Error("not a little-endian 64-bit ELF");
  const machine = view.getUint16(18, true);
  const arch = elfMachines[machine];
  if (arch === undefined) throw new Error(`ELF machine ${machine}`);
  const [at, size, count] = [u64(view, 32), view.getUint16(54, true), view.getUint16(56, true)];
  const segments = Array.from({ length: count }, (_, n) => {
    const from = at + n * size;
    return {
      type: view.getUint32(from, true),
      offset: u64(view, from + 8),
      address: u64(view, from + 16),
      bytes: u64(view, from + 32),
    };
  });
  const offsetOf = (address: number) => {
    const of = segments.find(
      (s) => s.type === ptLoad && address >= s.address && address < s.address + s.bytes,
    );
    if (!of) throw new Error(`no segment has the address ${address}`);
    return address - of.address + of.offset;
  };
  const interp = segments.find(({ type }) => type === ptInterp);
  const dynamic = segments.find(({ type }) => type === ptDynamic);
  const entries: [tag: number, value: number][] = [];
  for (let n = 0; dynamic && n < dynamic.bytes / 16; n++)
    entries.push([u64(view, dynamic.offset + n * 16), u64(view, dynamic.offset + n * 16 + 8)]);
  const entry = (tag: number) => entries.find(([other]) => other === tag)?.[1];
  const strings = entry(dtStrtab);
  const name = (offset: number) => text(view, offsetOf(strings!) + offset);
  return {
    format: "elf",
    arch,
    ...(interp ? { interpreter: text(view, interp.offset) } : {}),
    needs: entries.filter(([tag]) => tag === dtNeeded).map(([, value]) => name(value)),
    glibc: newest(versionsOf(view, entry(dtVerneed), entry(dtVerneednum) ?? 0, offsetOf, name)),
  };
}

/** The names of the versions that symbols ask for, such as `GLIBC_2.17`. */
function versionsOf(
  view: DataView,
  address: number | undefined,
  files: number,
  offsetOf: (address: number) => number,
  name: (offset: number) => string,
): string[] {
  const found: string[] = [];
  let at = address === undefined ? 0 : offsetOf(address);
  for (let file = 0; address !== undefined && file < files; file++) {
    const names = view.getUint16(at + 2, true);
    let aux = at + view.getUint32(at + 8, true);
    for (let n = 0; n < names; n++) {
      found.push(name(view.getUint32(aux + 8, true)));
      aux += view.getUint32(aux + 12, true);
    }
    at += view.getUint32(at + 12, true);
  }
  return found;
}

function newest(versions: readonly string[]): string | undefined {
  const numbers = versions.flatMap((version) => /^GLIBC_(\d+\.\d+(?:\.\d+)?)$/.exec(version)?.[1] ?? []);
  const order = (version: string) =>
    version
      .split(".")
      .map((part) => part.padStart(4, "0"))
      .join(".");
  return numbers.sort((a, b) => (order(a) < order(b) ? -1 : 1)).at(-1);
}

const machoCpus: Readonly<Record<number, Binary["arch"]>> = { 16777223: "x64", 16777228: "arm64" };
const [lcCodeSignature, lcVersionMin, lcBuildVersion] = [0x1d, 0x24, 0x32];

function macho(view: DataView): Binary {
  const cpu = view.getUint32(4, true);
  const arch = machoCpus[cpu];
  if (arch === undefined) throw new Error(`Mach-O cpu 0x${cpu.toString(16)}`);
  const binary: Binary = { format: "macho", arch, macos: undefined, isSigned: false };
  let at = 32;
  for (let n = view.getUint32(16, true); n > 0; n--) {
    const command = view.getUint32(at, true);
    if (command === lcCodeSignature) binary.isSigned = isSignatureRight(view, view.getUint32(at + 8, true));
    if (command === lcBuildVersion) binary.macos = versionWord(view.getUint32(at + 12, true));
    if (command === lcVersionMin) binary.macos = versionWord(view.getUint32(at + 8, true));
    at += view.getUint32(at + 4, true);
  }
  return binary;
}

function versionWord(word: number): string {
  return `${word >> 16}.${(word >> 8) & 0xff}`;
}

const [superBlob, codeDirectory, sha256] = [0xfade0cc0, 0xfade0c02, 2];

/** Compares the hash of each page with the one in the code directory. Big-endian, unlike the rest of the file. */
function isSignatureRight(view: DataView, at: number): boolean {
  if (view.getUint32(at) !== superBlob) return false;
  for (let n = 0; n < view.getUint32(at + 8); n++) {
    const blob = at + view.getUint32(at + 12 + n * 8 + 4);
    if (view.getUint32(blob) !== codeDirectory) continue;
    const [hashes, slots, end] = [
      view.getUint32(blob + 16),
      view.getUint32(blob + 28),
      view.getUint32(blob + 32),
    ];
    const [length, kind, page] = [
      view.getUint8(blob + 36),
      view.getUint8(blob + 37),
      2 ** view.getUint8(blob + 39),
    ];
    if (kind !== sha256 || end !== at) return false;
    for (let slot = 0; slot < slots; slot++) {
      const [from, to] = [slot * page, Math.min((slot + 1) * page, end)];
      const found = createHash("sha256")
        .update(bytesOf(view, from, to))
        .digest()
        .subarray(0, length);
      const listed = bytesOf(view, blob + hashes + slot * length, blob + hashes + (slot + 1) * length);
      if (!found.equals(listed)) return false;
    }
    return true;
  }
  return false;
}

function bytesOf(view: DataView, from: number, to: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + from, to - from);
}

function u64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function text(view: DataView, at: number): string {
  let end = at;
  while (view.getUint8(end) !== 0) end += 1;
  return new TextDecoder().decode(bytesOf(view, at, end));
}
