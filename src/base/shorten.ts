/** Cuts texts that are too long for a reader with little room, and says how much is missing. */

export function shortText(text: string, charsMax: number): string {
  const over = text.length - charsMax;
  if (over <= 0) return text;
  // Not through the middle of a surrogate pair.
  const end = charsMax - (/[\ud800-\udbff]/.test(text[charsMax - 1]!) ? 1 : 0);
  return `${text.slice(0, end)}… [${over} more characters]`;
}

/** Every text in a value of JSON, at any depth. A cursor stays whole: a part of it is none. */
export function shortTexts(value: unknown, charsMax: number): unknown {
  if (typeof value === "string") return shortText(value, charsMax);
  if (Array.isArray(value)) return value.map((item) => shortTexts(item, charsMax));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) =>
    key.endsWith("cursor") ? [key, inner] : [key, shortTexts(inner, charsMax)],
  );
  return Object.fromEntries(entries);
}
