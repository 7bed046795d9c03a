/** Turns the words after a command into the op's input, by the op's schema. */
import type * as v from "valibot";
import { errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { readStdin } from "../../base/stdio.ts";
import { type Mark, markOf, typeOf } from "../../ops/fields.ts";
import type { AnyOp } from "../../ops/op.ts";
import { type Input, tooLarge } from "../input.ts";
import { type FlagForm, type Forms, readFlags, type Words } from "./flags.ts";

export interface Field {
  name: string;
  schema: v.GenericSchema;
  mark: Mark;
  type: FlagForm["type"];
  /** How it is typed: `--turn-id`, or `<thread>` for a positional. */
  spelled: string;
}

export function fieldsOf(op: AnyOp): Field[] {
  return Object.entries(op.input.entries).map(([name, entry]) => {
    const schema = entry as v.GenericSchema;
    const mark = markOf(schema);
    return {
      name,
      schema,
      mark,
      type: typeOf(schema),
      spelled: mark.arg ? `<${kebab(name)}>` : `--${kebab(name)}`,
    };
  });
}

export function kebab(field: string): string {
  return field.replaceAll("_", "-");
}

/** Every flag of the op. A text also has a flag `-file`, and a positional text is a flag too. */
export function formsOf(fields: readonly Field[]): Record<string, FlagForm> {
  const forms: Record<string, FlagForm> = {};
  for (const { name, mark, type } of fields) {
    if (!mark.arg || mark.text) forms[kebab(name)] = { type };
    for (const other of mark.also ?? []) forms[other] = { type, as: kebab(name) };
    if (mark.text) forms[`${kebab(name)}-file`] = { type: "string" };
  }
  return forms;
}

/** `suggest`: flags that were read already, to suggest for a misspelled one. Throws `usage` and `too_large`. */
export async function inputFrom(
  args: readonly string[],
  fields: readonly Field[],
  suggest: Forms,
): Promise<Input> {
  // The flags of another command are plain words here: `schema list --unmanaged`.
  const taken = fields.some((field) => field.mark.spelling) ? ["--", ...args] : args;
  const words = readFlags(taken, formsOf(fields), { suggest });
  const input: Input = {};
  for (const field of fields) {
    const given = words.flags[kebab(field.name)];
    if (given !== undefined) input[field.name] = given;
    const file = words.flags[`${kebab(field.name)}-file`];
    if (!field.mark.text || file === undefined) continue;
    if (given !== undefined)
      fail("usage", `--${kebab(field.name)} and --${kebab(field.name)}-file exclude each other`);
    input[field.name] = file === "-" ? "-" : await textFrom(String(file));
  }
  placePositionals(input, words, fields);
  await readDash(input, fields, words);
  return input;
}

function placePositionals(input: Input, words: Words, fields: readonly Field[]): void {
  const left = [...words.positionals];
  for (const { name, mark, type } of fields) {
    if (!mark.arg || input[name] !== undefined || left.length === 0) continue;
    input[name] =
      type === "list"
        ? left.splice(0)
        : type === "number"
          ? positionalNumber(name, left.shift()!)
          : left.shift();
  }
  if (left.length > 0)
    fail("usage", `unexpected "${left[0]}": all arguments have a value already`, {
      hint: "put a text of several words in quotes",
    });
}

function positionalNumber(name: string, word: string): number {
  return /^-?\d+(\.\d+)?$/.test(word)
    ? Number(word)
    : fail("usage", `<${kebab(name)}>: must be a number, not "${word}"`);
}

/** A text `-` means standard input, which can be read only once. */
async function readDash(input: Input, fields: readonly Field[], words: Words): Promise<void> {
  const dashed = fields.filter(
    ({ name, mark }) => mark.text && input[name] === "-" && !isLiteral(words, name),
  );
  if (dashed.length > 1)
    fail("usage", `${dashed.map((field) => field.spelled).join(" and ")} cannot both read standard input`);
  const field = dashed[0];
  if (!field) return;
  const bytes = await readStdin(limits.input.textBytesMax);
  input[field.name] = decoded(bytes ?? tooLarge("standard input"), "standard input");
}

/** A file whose content is `-` is a text, not a request to read standard input. */
function isLiteral(words: Words, name: string): boolean {
  const file = words.flags[`${kebab(name)}-file`];
  return file !== undefined && file !== "-";
}

async function textFrom(path: string): Promise<string> {
  const bytes = await firstBytes(path, limits.input.textBytesMax + 1);
  return decoded(bytes.length > limits.input.textBytesMax ? tooLarge(path) : bytes, path);
}

async function firstBytes(path: string, bytesMax: number): Promise<Uint8Array> {
  try {
    return new Uint8Array(await Bun.file(path).slice(0, bytesMax).arrayBuffer());
  } catch (cause) {
    return fail("usage", `could not read ${path}: ${errorMessage(cause)}`, { cause });
  }
}

/** A text to deliver is never changed silently: ill-formed UTF-8 is refused, a byte order mark stays. */
function decoded(bytes: Uint8Array, from: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    return fail("usage", `${from} is not well-formed UTF-8`, {
      hint: "convert it first: iconv -t UTF-8",
      cause,
    });
  }
}
