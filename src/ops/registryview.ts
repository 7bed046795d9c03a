/** What the registry's commands show of a file. */
export function size(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function countsOf(counts: Record<string, number>): string {
  const said = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
  return said.length > 0 ? said.join(", ") : "nothing";
}
