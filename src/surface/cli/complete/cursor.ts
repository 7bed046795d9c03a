/** Determines the position of the cursor in a command, by the same words, flags and fields as running it. */
import { type Field, fieldsOf, formsOf } from "../args.ts";
import { type Forms, isFlag, nameOf, split } from "../flags.ts";
import { globalFlags } from "../globals.ts";
import { type Branch, type Command, isBranch, nodeAt } from "../tree.ts";

export interface CursorContext {
  /** The words of the command: none yet, a noun, or all of them. */
  command: readonly string[];
  /** True if `command` names a command. */
  isWhole: boolean;
  fields: readonly Field[];
  /** The flags that are typed already. */
  flags: ReadonlySet<string>;
  forms: Forms;
  /** The positionals after the command. */
  positionals: readonly string[];
  /** The flag whose value is at the cursor. */
  valueOf: string | undefined;
  /** True after `--`: no word is a flag. */
  isLiteral: boolean;
}

/** `before` starts after the word `dispatch`. */
export async function cursorAfter(before: readonly string[], tree: Branch): Promise<CursorContext> {
  const cursor = {
    command: [] as string[],
    isWhole: false,
    fields: [] as readonly Field[],
    flags: new Set<string>(),
    forms: globalFlags as Forms,
    positionals: [] as string[],
    valueOf: undefined as string | undefined,
    isLiteral: false,
  };
  const take = async ({ row, own }: Command) => {
    if (row) cursor.fields = fieldsOf((await row.load()).default);
    cursor.isWhole = true;
    cursor.forms = { ...(row ? formsOf(cursor.fields) : own?.forms), ...globalFlags };
  };
  const currentCommand = (): Command | undefined => {
    const node = nodeAt(tree, cursor.command);
    return node && !isBranch(node) ? node : undefined;
  };
  for (const word of before) {
    if (cursor.valueOf !== undefined) cursor.valueOf = undefined;
    else if (word === "--" && !cursor.isLiteral) cursor.isLiteral = true;
    else if (isFlag(word) && !cursor.isLiteral) {
      // A flag may select another op: `new --dry-run`.
      const variant = currentCommand()?.variants[word];
      if (variant) await take(variant);
      const [rawName, inline] = split(word);
      const name = nameOf(rawName, cursor.forms);
      cursor.flags.add(name ?? rawName.replace(/^--/, ""));
      const takesValue = name !== undefined && !["boolean", "option"].includes(cursor.forms[name]!.type);
      if (takesValue && inline === undefined) cursor.valueOf = name;
    } else if (cursor.isWhole) cursor.positionals.push(word);
    else if (word !== "help" || cursor.command.length > 0) {
      cursor.command.push(word);
      const command = currentCommand();
      if (command) await take(command);
    }
  }
  return cursor;
}
