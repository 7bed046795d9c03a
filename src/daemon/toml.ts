/** One configuration file against its schema, strictly: a misspelt setting is never silently nothing. */
import * as v from "valibot";
import { fail, wordsOf } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { nearest } from "../surface/cli/nearest.ts";
import { readBounded } from "./bounded.ts";

/** Throws `usage`, naming file, line and the nearest right key. No file is an empty one. */
export function readToml<S extends v.GenericSchema>(path: string, schema: S): v.InferOutput<S> {
  const text = textOf(path);
  let parsed: unknown;
  try {
    parsed = Bun.TOML.parse(text);
  } catch (thrown) {
    const line = lineBroken(text);
    fail("usage", `${path}${line ? `:${line}` : ""}: ${wordsOf(thrown)}`, {
      hint: `edit ${path}`,
      cause: thrown,
    });
  }
  const checked = v.safeParse(schema, parsed);
  if (checked.success) return checked.output;
  const issue = checked.issues[0];
  const keys = (issue.path ?? []).map((step) => String(step.key));
  const isUnknown = issue.type === "strict_object";
  const near = isUnknown ? nearest(keys.at(-1) ?? "", keysAt(schema, keys.slice(0, -1))) : undefined;
  const what = isUnknown
    ? `unknown key "${keys.join(".")}"${near ? `; did you mean "${near}"?` : ""}`
    : `${keys.join(".")}: ${issue.message}`;
  fail("usage", `${path}:${lineOf(text, keys)}: ${what}`, { hint: `edit ${path}` });
}

/**
 * The line after the last one up to which all is well: there what is wrong begins. The error itself names none: its
 * `line` is that of the program which called (measured with Bun 1.4). Undefined in a file too long to look for it.
 */
function lineBroken(text: string): number | undefined {
  const lines = text.split("\n");
  if (lines.length > limits.configLinesSearchedMax) return undefined;
  for (let kept = lines.length - 1; kept > 0; kept--)
    if (isToml(lines.slice(0, kept).join("\n"))) return kept + 1;
  return 1;
}

function isToml(text: string): boolean {
  try {
    Bun.TOML.parse(text);
    return true;
  } catch {
    return false;
  }
}

function textOf(path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readBounded(path, limits.configBytesMax));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return "";
    fail("usage", `${path} cannot be read: ${wordsOf(thrown)}`, { hint: `edit ${path}`, cause: thrown });
  }
}

type Inner = v.GenericSchema & {
  wrapped?: v.GenericSchema;
  entries?: Record<string, v.GenericSchema>;
  value?: v.GenericSchema;
  item?: v.GenericSchema;
};

/** The keys that a table takes: through optional tables, tables of any name, and lists of tables. */
function keysAt(schema: v.GenericSchema, path: readonly string[]): string[] {
  let at = unwrapped(schema);
  for (const key of path) {
    const next = at.entries?.[key] ?? at.value ?? at.item;
    if (!next) return [];
    at = unwrapped(next);
  }
  return Object.keys(at.entries ?? {});
}

function unwrapped(schema: v.GenericSchema): Inner {
  let inner = schema as Inner;
  while (inner.wrapped) inner = inner.wrapped as Inner;
  return inner;
}

/** Where the key stands, as near as text can tell: below the header of its table, else anywhere; 1 where it cannot. */
function lineOf(text: string, keys: readonly string[]): number {
  // A place in a list is no key: its line is the list's.
  const named = keys.filter((key) => !/^\d+$/.test(key));
  const key = named.at(-1) ?? "";
  const lines = text.split("\n");
  const table = named.slice(0, -1).join(".");
  const header = lines.findIndex((line) => line.replaceAll(/[\s"'[\]]/g, "").replace(/#.*/, "") === table);
  const is = (line: string) =>
    new RegExp(`^\\s*(\\[+\\s*([\\w".-]+\\.)?)?"?${RegExp.escape(key)}"?\\s*[=\\].]`).test(line);
  const below = table === "" ? -1 : lines.findIndex((line, at) => at > header && is(line));
  const at = below >= 0 ? below : lines.findIndex(is);
  return at < 0 ? 1 : at + 1;
}
