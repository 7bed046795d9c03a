/** Readers for JSON from another program: a field of the wrong type counts as absent and never throws. */
export type Json = Record<string, unknown>;

export function object(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

export function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** Codex writes a thread's and a turn's times in seconds, an item's in ms. */
export function msOfSeconds(value: unknown): number | null {
  const seconds = number(value);
  return seconds === null ? null : Math.round(seconds * 1000);
}

/** A string, or the first key of a tagged object: `"other"`, `{"httpConnectionFailed": {...}}`. */
export function word(value: unknown): string | null {
  if (typeof value === "string") return value;
  return Object.keys(object(value) ?? {})[0] ?? null;
}

/** A row of a table by a key from outside. Own properties only: `toString` is not a row. */
export function row<T>(table: Record<string, T>, key: unknown): T | undefined {
  return typeof key === "string" && Object.hasOwn(table, key) ? table[key] : undefined;
}
