/** Where in a command the cursor stands: by the same words, flags and fields that running it would take. */
import { type Field, fieldsOf, formsOf } from "../args.ts";
import { type Forms, isFlag, nameOf, split } from "../flags.ts";
import { globalFlags } from "../globals.ts";
import { type Branch, type Command, isBranch, nodeAt } from "../tree.ts";

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
export async function placeAfter(before: readonly string[], tree: Branch): Promise<Place> {
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
  const take = async ({ row, forms }: Command) => {
    if (row) place.fields = fieldsOf((await row.load()).default);
    place.isWhole = true;
    place.forms = { ...(row ? formsOf(place.fields) : forms), ...globalFlags };
  };
  const commandHere = (): Command | undefined => {
    const node = nodeAt(tree, place.command);
    return node && !isBranch(node) ? node : undefined;
  };
  for (const word of before) {
    if (place.valueOf !== undefined) place.valueOf = undefined;
    else if (word === "--" && !place.isLiteral) place.isLiteral = true;
    else if (isFlag(word) && !place.isLiteral) {
      // A flag may make another command of it: `new --dry-run`.
      const variant = commandHere()?.variants[word];
      if (variant) await take(variant);
      const [rawName, inline] = split(word);
      const name = nameOf(rawName, place.forms);
      place.flags.add(name ?? rawName.replace(/^--/, ""));
      const takesValue = name !== undefined && place.forms[name]!.type !== "boolean";
      if (takesValue && inline === undefined) place.valueOf = name;
    } else if (place.isWhole) place.positionals.push(word);
    else if (word !== "help" || place.command.length > 0) {
      place.command.push(word);
      const command = commandHere();
      if (command) await take(command);
    }
  }
  return place;
}
