/** Reads a configuration file strictly: a misspelt setting is an error and is never ignored. */
import * as v from "valibot";
import { readBounded } from "../base/bounded.ts";
import { openUp } from "../base/directory.ts";
import { errorMessage, fail } from "../base/error.ts";
import { issueText, isUnknownField, keysOf, unknownField } from "../base/issue.ts";
import { limits } from "../base/limits.ts";

/** Throws `usage` with the file, the line and the nearest valid key. A missing file counts as empty. */
export function readToml<S extends v.GenericSchema>(
  path: string,
  schema: S,
  bytesMax: number = limits.config.bytesMax,
): v.InferOutput<S> {
  const text = textOf(path, bytesMax);
  let parsed: unknown;
  try {
    parsed = Bun.TOML.parse(text);
  } catch (thrown) {
    fail("usage", `${path}:${lineBroken(text)}: ${errorMessage(thrown)}`, {
      hint: `edit ${path}`,
      cause: thrown,
    });
  }
  const checked = v.safeParse(schema, parsed);
  if (checked.success) return checked.output;
  const issue = checked.issues[0];
  const keys = keysOf(issue);
  const name = keys.join(".");
  const what = isUnknownField(issue)
    ? unknownField(name, keysAt(schema, keys.slice(0, -1)))
    : issueText(issue, name);
  fail("usage", `${path}:${lineOf(text, keys)}: ${what}`, { hint: `edit ${path}` });
}

/**
 * The line of the first statement that does not parse alone, or else of the first that conflicts with those before it.
 * Bun's error has no line of the file: its `line` is a line of the calling program (measured with Bun 1.4). The work is
 * bounded: each statement is parsed alone, and the whole file a few times.
 */
function lineBroken(text: string): number {
  const lines = text.split("\n");
  /** The number of lines up to the end of each statement. */
  const ends = [0];
  for (let end = 1; end <= lines.length; end++) {
    const start = ends.at(-1)!;
    if (isToml(lines.slice(start, end).join("\n"))) ends.push(end);
    else if (end - start === limits.config.statementLinesMax) return start + 1;
  }
  if (ends.at(-1) !== lines.length) return ends.at(-1)! + 1;
  let [well, broken] = [0, ends.length - 1];
  while (broken - well > 1) {
    const middle = (well + broken) >> 1;
    if (isToml(lines.slice(0, ends[middle]).join("\n"))) well = middle;
    else broken = middle;
  }
  return ends[well]! + 1;
}

function isToml(text: string): boolean {
  try {
    Bun.TOML.parse(text);
    return true;
  } catch {
    return false;
  }
}

function textOf(path: string, bytesMax: number): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readBounded(path, bytesMax));
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === "ENOENT") return "";
    fail("usage", `${path} cannot be read: ${errorMessage(thrown)}`, {
      hint: code === "EACCES" ? openUp(path) : `edit ${path}`,
      cause: thrown,
    });
  }
}

type Inner = v.GenericSchema & {
  wrapped?: v.GenericSchema;
  entries?: Record<string, v.GenericSchema>;
  value?: v.GenericSchema;
  item?: v.GenericSchema;
};

/** The valid keys of a table, through optional tables, tables with any name, and lists of tables. */
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

/** The line of the key, found in the text: below the header of its table, else the first match, else 1. */
function lineOf(text: string, keys: readonly string[]): number {
  // An index of a list is not a key: the line is that of the list.
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
