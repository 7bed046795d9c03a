/** Reading flags strictly, on top of node's tokenizer. citty's parser drops what it does not know; this refuses it. */
import { parseArgs } from "node:util";
import { fail } from "../../base/error.ts";
import { nearest } from "./nearest.ts";

export interface FlagForm {
  type: "string" | "number" | "boolean" | "list";
}

export type Forms = Readonly<Record<string, FlagForm>>;
export type FlagValue = string | number | boolean | string[];

export interface Words {
  flags: Record<string, FlagValue>;
  positionals: string[];
  /** The words that belong to flags not in `forms`, and the positionals, as they stood. Only with `isPartial`. */
  rest: string[];
}

/** A minus and a digit is a negative number and no flag: hidden from the tokenizer behind a character no argument holds. */
const shield = "\0";
const shielded = (word: string) => (/^-\.?\d/.test(word) ? shield + word : word);
const bare = (word: string) => (word.startsWith(shield) ? word.slice(1) : word);

/** Refuses flags it does not know, unless `isPartial`: then they stay in `rest` for who does. */
export function readFlags(
  args: readonly string[],
  forms: Forms,
  more: { isPartial?: boolean; suggest?: Forms } = {},
): Words {
  const options = Object.fromEntries(
    Object.entries(forms).map(([name, form]) => [
      name,
      { type: form.type === "boolean" ? "boolean" : "string" } as const,
    ]),
  );
  const { tokens } = parseArgs({
    args: args.map(shielded),
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const words: Words = { flags: {}, positionals: [], rest: [...args] };
  const taken = new Set<number>();
  for (const token of tokens) {
    if (token.kind === "positional") words.positionals.push(bare(token.value));
    if (token.kind !== "option") continue;
    const name = nameOf(token.rawName, forms);
    if (name === undefined) {
      if (more.isPartial) continue;
      return unknownFlag(token.rawName, { ...forms, ...more.suggest });
    }
    taken.add(token.index);
    const value = readValue(token.rawName, forms[name]!, token.value, token.inlineValue);
    if (token.value !== undefined && !token.inlineValue) taken.add(token.index + 1);
    put(words.flags, name, value, token.rawName, forms[name]!.type === "list");
  }
  words.rest = words.rest.filter((_, at) => !taken.has(at));
  return words;
}

/** `--x`, `--no-x` of a boolean, `-h`. */
function nameOf(rawName: string, forms: Forms): string | undefined {
  if (rawName === "-h") return Object.hasOwn(forms, "help") ? "help" : undefined;
  if (!rawName.startsWith("--")) return undefined;
  const name = rawName.slice(2);
  if (Object.hasOwn(forms, name)) return name;
  const positive = name.startsWith("no-") ? name.slice(3) : "";
  return Object.hasOwn(forms, positive) && forms[positive]!.type === "boolean" ? positive : undefined;
}

function readValue(
  rawName: string,
  form: FlagForm,
  value: string | undefined,
  isInline: boolean | undefined,
): FlagValue {
  if (form.type === "boolean") {
    if (value !== undefined)
      return fail("usage", `${rawName} takes no value`, {
        hint: `${rawName} or --no-${rawName.replace(/^--(no-)?/, "")}`,
      });
    return !rawName.startsWith("--no-");
  }
  if (value === undefined) return fail("usage", `${rawName} needs a value`);
  if (!isInline && value.startsWith("-") && value !== "-")
    return fail("usage", `${rawName} needs a value, and ${value} is a flag`, { hint: `${rawName}=${value}` });
  return form.type === "number" ? numberOf(rawName, bare(value)) : bare(value);
}

function numberOf(rawName: string, word: string): number {
  // Number() takes "", " 1", "0x1f" and "1e9": none is what somebody meant on a command line.
  if (!/^-?(\d+\.?\d*|\.\d+)$/.test(word))
    return fail("usage", `${rawName}: must be a number, not "${word}"`);
  return Number(word);
}

function put(flags: Words["flags"], name: string, value: FlagValue, rawName: string, isList = false): void {
  const before = flags[name];
  if (isList) flags[name] = [...((before as string[] | undefined) ?? []), value as string];
  else if (before !== undefined) fail("usage", `${rawName} is given twice`);
  else flags[name] = value;
}

export function unknownFlag(rawName: string, forms: Forms): never {
  const spellings = Object.entries(forms).flatMap(([name, form]) =>
    form.type === "boolean" ? [`--${name}`, `--no-${name}`] : [`--${name}`],
  );
  const right = nearest(rawName, spellings);
  return fail("usage", `unknown flag ${rawName}${right ? `; did you mean ${right}?` : ""}`);
}
