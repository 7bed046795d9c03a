/** The home's config.toml: read anew when it changed, and strict, so that a misspelt setting is never silently nothing. */
import { readFileSync, statSync } from "node:fs";
import * as v from "valibot";
import { DispatchError, fail, wordsOf } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { HoldReason } from "../core/ports/store.ts";
import { nearest } from "../surface/cli/nearest.ts";

const reasons = ["failed", "stopped", "crashed"] as const satisfies readonly HoldReason[];

const schema = v.strictObject({
  policy: v.optional(
    v.strictObject({
      attached_queue: v.optional(v.boolean(), false),
      release_after: v.optional(v.array(v.picklist(reasons)), []),
    }),
    {},
  ),
  app_server: v.optional(v.strictObject({ command: v.optional(v.pipe(v.string(), v.nonEmpty())) }), {}),
  history: v.optional(
    v.strictObject({
      keep_days: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), limits.eventsKeepDays),
    }),
    {},
  ),
});

export type Config = v.InferOutput<typeof schema>;

const known: Record<string, readonly string[]> = {
  "": ["policy", "app_server", "history"],
  policy: ["attached_queue", "release_after"],
  app_server: ["command"],
  history: ["keep_days"],
};

/** Throws `usage`, naming file, line and the nearest right key. No file is the defaults. */
export function readConfig(path: string): Config {
  const text = textOf(path);
  let parsed: unknown;
  try {
    parsed = Bun.TOML.parse(text);
  } catch (thrown) {
    const line = (thrown as { line?: number }).line;
    fail("usage", `${path}${line ? `:${line}` : ""}: ${wordsOf(thrown)}`, {
      hint: `edit ${path}`,
      cause: thrown,
    });
  }
  const checked = v.safeParse(schema, parsed);
  if (checked.success) return checked.output;
  const issue = checked.issues[0];
  const keys = (issue.path ?? []).map((step) => String(step.key));
  // A place in a list is no key: its line is the list's.
  const key = keys.findLast((one) => !/^\d+$/.test(one)) ?? "";
  const isUnknown = issue.type === "strict_object";
  const near = isUnknown ? nearest(key, known[keys.slice(0, -1).join(".")] ?? []) : undefined;
  const what = isUnknown
    ? `unknown key "${keys.join(".")}"${near ? `; did you mean "${near}"?` : ""}`
    : `${keys.join(".")}: ${issue.message}`;
  fail("usage", `${path}:${lineOf(text, key)}: ${what}`, { hint: `edit ${path}` });
}

/** Keeps what it read until the file is another. */
export function configReader(path: string): () => Config {
  let kept: { stamp: string; config: Config } | undefined;
  return () => {
    const stat = statSync(path, { throwIfNoEntry: false });
    const stamp = stat ? `${stat.mtimeMs} ${stat.size}` : "none";
    if (kept?.stamp !== stamp) kept = { stamp, config: readConfig(path) };
    return kept.config;
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new DispatchError("usage", `${path} cannot be read: ${wordsOf(thrown)}`, { cause: thrown });
  }
}

/** Where the key stands, as near as text can tell; 1 where it cannot. */
function lineOf(text: string, key: string): number {
  const at = text
    .split("\n")
    .findIndex((line) => new RegExp(`^\\s*(\\[\\s*)?"?${RegExp.escape(key)}"?\\s*[=\\].]`).test(line));
  return at < 0 ? 1 : at + 1;
}
