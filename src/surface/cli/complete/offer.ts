/** The completions at the cursor, from the ops and from the current threads, models and so on. */
import { cell } from "../../../base/text.ts";
import { choicesOf, descriptionOf, type Named } from "../../../ops/fields.ts";
import type { Word } from "../../../ops/op.ts";
import { type Field, kebab } from "../args.ts";
import { isFlag } from "../flags.ts";
import { type GlobalFlag, globalFlags } from "../globals.ts";
import { type Branch, isBranch, nodeAt } from "../tree.ts";
import { type CursorContext, cursorAfter } from "./cursor.ts";

/** Words, or a kind of path that the shell completes itself. */
export type Offer = { kind: "words"; words: readonly Word[] } | { kind: "files" } | { kind: "directories" };

export interface CompletionSource {
  tree: Branch;
  /** The current names of a kind. Empty when they cannot be read now. */
  live(names: Named): Promise<readonly Word[]>;
  /** The hosts of the configuration. */
  hosts(): Promise<readonly Word[]>;
}

const words = (some: readonly Word[]): Offer => ({ kind: "words", words: some });

/** `before` starts after the word `dispatch`. Every offered word starts with `current`. */
export async function offerFor(
  before: readonly string[],
  current: string,
  source: CompletionSource,
): Promise<Offer> {
  const cursor = await cursorAfter(before, source.tree);
  if (cursor.valueOf !== undefined) return begun(await flagValues(cursor.valueOf, cursor, source), current);
  const [flag, name] = (!cursor.isLiteral && /^--([^=]+)=/.exec(current)) || [];
  if (flag !== undefined && name !== undefined) {
    const values = begun(await flagValues(name, cursor, source), current.slice(flag.length));
    if (values.kind !== "words") return values;
    return words(values.words.map((value) => ({ ...value, word: flag + value.word })));
  }
  if (current.startsWith("-") && !cursor.isLiteral)
    return begun(words(flagsAt(cursor, source.tree)), current);
  if (!cursor.isWhole) return begun(words(nextWords(cursor.command, source.tree)), current);
  const field = argumentAt(cursor);
  return begun(field ? await fieldValues(field, cursor, source) : words([]), current);
}

/** The words that start with `current` and that a person can type, each once. */
function begun(offer: Offer, current: string): Offer {
  if (offer.kind !== "words") return offer;
  const fitting = offer.words.filter(
    ({ word, isOther }) =>
      word.startsWith(current) && !(isOther && current === "") && cell(word) === word && word !== "-",
  );
  return words([...new Map(fitting.map((item) => [item.word, item])).values()]);
}

/** The first word of every command, or the verbs of a noun. */
function nextWords(command: readonly string[], tree: Branch): Word[] {
  const node = nodeAt(tree, command);
  if (!node || !isBranch(node)) return [];
  return Object.entries(node.subCommands).map(([word, under]) => ({
    word,
    about: isBranch(under) ? Object.keys(under.subCommands).join(", ") : under.meta.description,
  }));
}

function flagsAt({ command, fields, forms, flags }: CursorContext, tree: Branch): Word[] {
  const node = nodeAt(tree, command);
  const variants = Object.entries(node && !isBranch(node) ? node.variants : {})
    .map(([word, { meta }]) => ({ word, about: meta.description }))
    .filter(({ word }) => !flags.has(word.slice(2)));
  const own = node && !isBranch(node) ? node.own?.forms : undefined;
  const left = Object.entries(forms).filter(([name, { type }]) => type === "list" || !flags.has(name));
  const offered = left.flatMap(([name, { type }]) => {
    const global = (globalFlags as Record<string, GlobalFlag>)[name];
    const field = fields.find((candidate) => kebab(candidate.name) === name.replace(/-file$/, ""));
    const about =
      global?.description ?? own?.[name]?.description ?? (field ? descriptionOf(field.schema) : null);
    const isOn = global ? global.isNegative === true : defaultOf(field);
    const spellings = type === "boolean" ? spellingsOf(name, isOn) : [name];
    return spellings.map((spelling) => ({ word: `--${spelling}`, about }));
  });
  return [...variants, ...offered];
}

/** A switch in the spelling that changes its default. Both spellings when the default is not known. */
function spellingsOf(name: string, isOn: unknown): string[] {
  if (isOn === undefined) return [name, `no-${name}`];
  return [isOn ? `no-${name}` : name];
}

function defaultOf(field: Field | undefined): unknown {
  return (field?.schema as { default?: unknown } | undefined)?.default;
}

/** The argument that the next positional fills. */
function argumentAt({ fields, flags, positionals }: CursorContext): Field | undefined {
  const open = fields.filter(
    ({ name, mark }) => mark.arg && !flags.has(kebab(name)) && !flags.has(`${kebab(name)}-file`),
  );
  return open[positionals.length] ?? (open.at(-1)?.type === "list" ? open.at(-1) : undefined);
}

async function flagValues(flag: string, cursor: CursorContext, source: CompletionSource): Promise<Offer> {
  const field = cursor.fields.find(({ name }) => kebab(name) === flag);
  if (field) return fieldValues(field, cursor, source);
  if (flag === "host") return words(await source.hosts());
  if (cursor.forms[flag]?.type !== "string") return words([]);
  // The remaining flags are the files of texts, and `--home`.
  return { kind: flag.endsWith("-file") ? "files" : "directories" };
}

async function fieldValues(
  { schema, mark }: Field,
  cursor: CursorContext,
  source: CompletionSource,
): Promise<Offer> {
  // A title that looks like a flag would be read as one.
  if (mark.names) return words((await source.live(mark.names)).filter(({ word }) => !isFlag(word)));
  if (mark.path) return { kind: mark.value === "DIR" ? "directories" : "files" };
  if (mark.spelling) return words(nextWords(cursor.positionals, source.tree));
  return words((choicesOf(schema) ?? []).map((word) => ({ word })));
}
