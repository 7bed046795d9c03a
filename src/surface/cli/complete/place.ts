/** Where in a command the cursor stands: by the same words, flags and fields that running it would take. */
import type { IndexRow } from "../../../ops/op.ts";
import { type Field, fieldsOf, formsOf } from "../args.ts";
import { mcpCommand } from "../commands.ts";
import { type Forms, isFlag, nameOf, split } from "../flags.ts";
import { globalFlags } from "../globals.ts";

export interface Place {
  /** The words of the command: none yet, a noun, or all. */
  command: readonly string[];
  isWhole: boolean;
  fields: readonly Field[];
  /** What flags stand there already. */
  flags: ReadonlySet<string>;
  forms: Forms;
  /** After the command. */
  positionals: readonly string[];
  /** The flag that the word under the cursor is the value of. */
  valueOf: string | undefined;
  /** After `--`: no word is a flag. */
  isLiteral: boolean;
}

/** `before` begins behind `dispatch`. */
export async function placeAfter(before: readonly string[], index: readonly IndexRow[]): Promise<Place> {
  const place = {
    command: [] as string[],
    isWhole: false,
    fields: [] as readonly Field[],
    flags: new Set<string>(),
    forms: globalFlags as Forms,
    positionals: [] as string[],
    valueOf: undefined as string | undefined,
    isLiteral: false,
  };
  const take = async (row: IndexRow | undefined) => {
    if (row) place.fields = fieldsOf((await row.load()).default);
    place.isWhole = row !== undefined || place.command[0] === mcpCommand.cli;
    const own = row ? formsOf(place.fields) : place.isWhole ? mcpCommand.forms : {};
    place.forms = { ...own, ...globalFlags };
  };
  const rowOf = (cli: string) => index.find((row) => !row.hidden && row.cli === cli);
  for (const word of before) {
    if (place.valueOf !== undefined) place.valueOf = undefined;
    else if (word === "--" && !place.isLiteral) place.isLiteral = true;
    else if (isFlag(word) && !place.isLiteral) {
      // A flag may make another command of it: `new --dry-run`.
      const other = rowOf([...place.command, word].join(" "));
      if (other) await take(other);
      const [rawName, inline] = split(word);
      const name = nameOf(rawName, place.forms);
      place.flags.add(name ?? rawName.replace(/^--/, ""));
      const takesValue = name !== undefined && place.forms[name]!.type !== "boolean";
      if (takesValue && inline === undefined) place.valueOf = name;
    } else if (place.isWhole) place.positionals.push(word);
    else if (word !== "help" || place.command.length > 0) {
      place.command.push(word);
      await take(rowOf(place.command.join(" ")));
    }
  }
  return place;
}
