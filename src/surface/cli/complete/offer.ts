/** What may stand under the cursor: a projection of the ops, and of what there is at this moment. */
import { cell } from "../../../base/text.ts";
import { choicesOf, descriptionOf, type Named } from "../../../ops/fields.ts";
import type { Word } from "../../../ops/op.ts";
import { type Field, kebab } from "../args.ts";
import { isFlag } from "../flags.ts";
import { type GlobalFlag, globalFlags } from "../globals.ts";
import { type Branch, isBranch, nodeAt } from "../tree.ts";
import { type Place, placeAfter } from "./place.ts";

/** Words, or what the shell itself completes. */
export type Offer = { kind: "words"; words: readonly Word[] } | { kind: "files" } | { kind: "directories" };

/** What there is. */
export interface There {
  tree: Branch;
  /** Nothing where it cannot be known now. */
  live(names: Named): Promise<readonly Word[]>;
}

const words = (some: readonly Word[]): Offer => ({ kind: "words", words: some });

/** `before` begins behind `dispatch`; every word offered begins with `current`. */
export async function offerFor(before: readonly string[], current: string, there: There): Promise<Offer> {
  const place = await placeAfter(before, there.tree);
  if (place.valueOf !== undefined) return begun(await flagValues(place.valueOf, place, there), current);
  const [flag, name] = (!place.isLiteral && /^--([^=]+)=/.exec(current)) || [];
  if (flag !== undefined && name !== undefined) {
    const values = begun(await flagValues(name, place, there), current.slice(flag.length));
    if (values.kind !== "words") return values;
    return words(values.words.map((one) => ({ ...one, word: flag + one.word })));
  }
  if (current.startsWith("-") && !place.isLiteral) return begun(words(flagsAt(place, there.tree)), current);
  if (!place.isWhole) return begun(words(nextWords(place.command, there.tree)), current);
  const field = argumentAt(place);
  return begun(field ? await fieldValues(field, place, there) : words([]), current);
}

/** Those that begin with what is typed and that a person could type, each once. */
function begun(offer: Offer, current: string): Offer {
  if (offer.kind !== "words") return offer;
  const fitting = offer.words.filter(
    ({ word, isOther }) =>
      word.startsWith(current) && !(isOther && current === "") && cell(word) === word && word !== "-",
  );
  return words([...new Map(fitting.map((one) => [one.word, one])).values()]);
}

/** The first word of every command; or the verbs of a noun. */
function nextWords(command: readonly string[], tree: Branch): Word[] {
  const node = nodeAt(tree, command);
  if (!node || !isBranch(node)) return [];
  return Object.entries(node.subCommands).map(([word, under]) => ({
    word,
    about: isBranch(under) ? Object.keys(under.subCommands).join(", ") : under.meta.description,
  }));
}

function flagsAt({ command, fields, forms, flags }: Place, tree: Branch): Word[] {
  const node = nodeAt(tree, command);
  const variants = Object.entries(node && !isBranch(node) ? node.variants : {})
    .map(([word, { meta }]) => ({ word, about: meta.description }))
    .filter(({ word }) => !flags.has(word.slice(2)));
  const left = Object.entries(forms).filter(([name, { type }]) => type === "list" || !flags.has(name));
  const own = left.flatMap(([name, { type }]) => {
    const global = (globalFlags as Record<string, GlobalFlag>)[name];
    const field = fields.find((one) => kebab(one.name) === name.replace(/-file$/, ""));
    const about = global?.description ?? (field ? descriptionOf(field.schema) : null);
    const isOn = global ? global.isNegative === true : defaultOf(field);
    const spelled = type === "boolean" ? waysOf(name, isOn) : [name];
    return spelled.map((one) => ({ word: `--${one}`, about }));
  });
  return [...variants, ...own];
}

/** A switch, the way that changes something; both ways where it is not known what it is without. */
function waysOf(name: string, isOn: unknown): string[] {
  if (isOn === undefined) return [name, `no-${name}`];
  return [isOn ? `no-${name}` : name];
}

function defaultOf(field: Field | undefined): unknown {
  return (field?.schema as { default?: unknown } | undefined)?.default;
}

/** The argument that the next positional is for. */
function argumentAt({ fields, flags, positionals }: Place): Field | undefined {
  const open = fields.filter(
    ({ name, mark }) => mark.arg && !flags.has(kebab(name)) && !flags.has(`${kebab(name)}-file`),
  );
  return open[positionals.length] ?? (open.at(-1)?.type === "list" ? open.at(-1) : undefined);
}

async function flagValues(flag: string, place: Place, there: There): Promise<Offer> {
  const field = place.fields.find((one) => kebab(one.name) === flag);
  if (field) return fieldValues(field, place, there);
  if (place.forms[flag]?.type !== "string") return words([]);
  // What is left are the files that texts are read from, and `--home`.
  return { kind: flag.endsWith("-file") ? "files" : "directories" };
}

async function fieldValues({ schema, mark }: Field, place: Place, there: There): Promise<Offer> {
  // A title may look like a flag, and would be taken for one.
  if (mark.names) return words((await there.live(mark.names)).filter(({ word }) => !isFlag(word)));
  if (mark.path) return { kind: mark.value === "DIR" ? "directories" : "files" };
  if (mark.spelling) return words(nextWords(place.positionals, there.tree));
  return words((choicesOf(schema) ?? []).map((word) => ({ word })));
}
