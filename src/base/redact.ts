/**
 * Secrets never reach a log: every line passes here, at the one sink. By shape where a secret has one, by the name
 * beside it where it has none. Too much is taken rather than too little.
 */
import { limits } from "./limits.ts";

const gone = "[redacted]";

const secretName =
  /^(?:.*[_-])?(?:password|passwd|passphrase|secret|token|api[_-]?key|apikey|key|authorization|cookie|credentials?)$/i;

const shapes: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, gone],
  // Not the words of "basic operations": a digit, a sign, or more letters than words have.
  [/\b(Bearer|Basic)\s+(?=\S*[\d=+/._-]|\w{20})[\w.~+/=-]{6,}/gi, `$1 ${gone}`],
  [/\b(?:sk|pk|rk)-[\w-]{8,}/g, gone],
  [/\b(?:gh[oprsu]_|github_pat_|xox[abeoprs]-)[\w-]{8,}/g, gone],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, gone],
  [/\b(authorization["']?\s*[=:]\s*["']?(?:\w{1,20}\s+)?)[^\s"',;]+/gi, `$1${gone}`],
  // The password of a URL.
  [/(:\/\/[^\s/:@]*:)[^\s/@]+@/g, `$1${gone}@`],
  // The bound on the name keeps a hostile line linear (8 KiB of `_-` took 90 ms without it).
  // name=value, name: value, "name":"value", --name value
  [
    /\b([\w-]{0,40}(?:password|passwd|passphrase|secret|token|api[_-]?key|apikey|key|authorization)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s"',;&)}\]]+)/gi,
    `$1${gone}`,
  ],
  [/(--?(?:password|passwd|secret|token|api[_-]?key)\s+)(?!-)\S+/gi, `$1${gone}`],
];

export function redact(text: string): string {
  let out = text;
  for (const [shape, instead] of shapes) out = out.replace(shape, instead);
  return out;
}

/** What a log may hold of one value: bounded in depth, breadth and length, with secrets taken by name and by shape. */
export function redactValue(value: unknown, charsMax: number, depth = 0): unknown {
  if (typeof value === "string")
    return redact(value.length > charsMax ? `${value.slice(0, charsMax)}…` : value);
  if (typeof value === "bigint") return String(value);
  if (value instanceof Error) return redactValue(value.stack ?? value.message, charsMax, depth);
  if (typeof value !== "object" || value === null) return value;
  if (depth === 4) return "[deep]";
  if (Array.isArray(value))
    return value.slice(0, limits.log.itemsMax).map((item) => redactValue(item, charsMax, depth + 1));
  const out: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value).slice(0, limits.log.itemsMax))
    out[name] =
      typeof item === "string" && secretName.test(name) ? gone : redactValue(item, charsMax, depth + 1);
  return out;
}
