/** Names nobody chose. The source is a port like the clock: the simulator passes a seeded one. */

/** At least 0, less than 1. */
export type Random = () => number;

export const systemRandom: Random = () => crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;

const letters = "bcdfghjkmnpqrstvwxyz";
/** No vowels, so that no word appears, and no `l`, which reads as 1. */
const symbols = `0123456789${letters}`;
const refChars = 6;
/** 30^24: more than 2^117. */
const keyChars = 24;

/** A thread's ref. It begins with a letter, so that it cannot be read as a number. */
export function newRef(random: Random): string {
  return pick(letters, random) + chars(refChars - 1, random);
}

/** An idempotency key that a client mints for its own retries. */
export function newKey(random: Random = systemRandom): string {
  return chars(keyChars, random);
}

/** UUIDv7, for receipts: the first 48 bits are `now`, so that ids sort by when they were made. */
export function newId(now: number, random: Random = systemRandom): string {
  const bytes = Array.from({ length: 16 }, () => Math.floor(random() * 256));
  for (let at = 0; at < 6; at++) bytes[at] = Math.floor(now / 2 ** (8 * (5 - at))) % 256;
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

function chars(count: number, random: Random): string {
  return Array.from({ length: count }, () => pick(symbols, random)).join("");
}

function pick(from: string, random: Random): string {
  return from[Math.floor(random() * from.length)]!;
}
