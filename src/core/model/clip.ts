/** Cuts texts to a limit, with a mark where something is missing. */

export function clip(text: string, charsMax: number): string {
  return text.length <= charsMax ? text.toWellFormed() : `${text.slice(0, charsMax - 1).toWellFormed()}…`;
}

/** Cuts by bytes. Returns how many are missing; the mark shows it too. */
export function clipBytes(text: string, bytesMax: number): { text: string; missing: number } {
  const bytes = Buffer.from(text.toWellFormed());
  if (bytes.length <= bytesMax) return { text: bytes.toString(), missing: 0 };
  // Never cut through a character.
  let end = bytesMax;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  const missing = bytes.length - end;
  return { text: `${bytes.subarray(0, end).toString()}… [${missing} more bytes]`, missing };
}

/** The size of a value in an answer, which is JSON. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
