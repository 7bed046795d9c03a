/** What the model reads: a short JSON line, or an error with a hint in the spelling of the tools. */
import { DispatchError, errorLine, errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { shortTexts } from "../../base/shorten.ts";
import { cell } from "../../base/text.ts";

/** The result as one line of JSON, within its limit: long texts are cut, as little as possible, and say so. */
export function resultText(result: unknown): string {
  const { resultBytesMax, textCharsMax, textCharsMin } = limits.tool;
  let line = JSON.stringify(shortTexts(result, textCharsMax));
  for (let max = textCharsMax / 2; Buffer.byteLength(line) > resultBytesMax && max >= textCharsMin; max /= 2)
    line = JSON.stringify(shortTexts(result, max));
  if (Buffer.byteLength(line) <= resultBytesMax) return line;
  // So many rows that even short texts are too long together.
  const fewer = Object.entries(result as object).map(([name, value]) =>
    Array.isArray(value) ? [name, value.slice(0, Math.floor(value.length / 2))] : [name, value],
  );
  return resultText({ ...Object.fromEntries(fewer), cut: "there are more: ask for fewer at a time" });
}

/** `code (retry later|no): message`, and the hint in its own line. */
export function errorText(thrown: unknown): { text: string; outcome: string } {
  const error =
    thrown instanceof DispatchError
      ? thrown
      : new DispatchError("internal", `this is a bug in dispatch: ${errorMessage(thrown)}`);
  const { code, message, hint, retry } = error.body;
  const shown = hint === null ? null : toolHint(hint);
  const line = errorLine({ code, retry, message: cell(message) });
  const text = `${line}${shown ? `\nhint: ${cell(shown)}` : ""}`;
  return { text: text.slice(0, limits.tool.resultBytesMax / 4).toWellFormed(), outcome: code };
}

/**
 * A hint of the command line for a model: commands that are tools get the tool's name and flags their field, and what is
 * no tool is for a person.
 */
function toolHint(hint: string): string {
  return hint
    .split("; ")
    .map((part) => (/^(or )?a person may:/.test(part) ? part : translated(part)))
    .join("; ");
}

const commands: readonly (readonly [RegExp, string])[] = [
  [/\bdispatch inbox (list|ack|post)\b/g, "dispatch_inbox with action $1"],
  [/\bdispatch (list|wait|send|new)\b/g, "dispatch_$1"],
  [/\bdispatch(?= [a-z])/g, "a person can run: dispatch"],
];

function translated(part: string): string {
  const named = commands.reduce((text, [what, name]) => text.replace(what, name), part);
  if (named.includes("a person can run")) return named;
  return named
    .replace(/--(queue|steer|interject|context)\b/g, 'mode "$1"')
    .replace(/--no-([a-z-]+)/g, (_, name: string) => `${fieldOf(name)}: false`)
    .replace(/--([a-z-]+)(?: (?=[^-\s])|(?=[\s,;]|$))/g, (_, name: string) => `${fieldOf(name)}: `)
    .trimEnd();
}

function fieldOf(flag: string): string {
  return flag.replaceAll("-", "_");
}
