/** Formats sizes and row counts for the `registry` commands. */
export function size(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function countsOf(counts: Record<string, number>): string {
  const items = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
  return items.length > 0 ? items.join(", ") : "nothing";
}
