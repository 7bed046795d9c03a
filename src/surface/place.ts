/**
 * Adds `--home` and `--host` to the commands that are shown, so that each means the same place as the command that shows
 * it: what is copied from the answer of another machine goes to that machine.
 */
import { paint } from "../base/text.ts";
import { quoted } from "./cli/spell.ts";

export interface Place {
  home?: string | undefined;
  host?: string | undefined;
}

/** The fields of results that hold the next command. */
const commandFields: ReadonlySet<string> = new Set(["release", "resume", "hint"]);

/** Where such fields are, besides the top. What an agent asks for has fields of any name, and is shown as it is. */
const containers: ReadonlySet<string> = new Set([
  "threads",
  "queue",
  "goal",
  "blocked",
  "receipts",
  "messages",
  "degraded",
  "checks",
]);

/** The first words of commands, by which a command is told from other text. */
export type Nouns = ReadonlySet<string>;

export const nounsOf = (index: readonly { cli: string }[]): Nouns =>
  new Set(index.map(({ cli }) => cli.split(" ")[0]!));

/** Every command of a text of dispatch's own. */
export function placed(text: string, { home, host }: Place, nouns: Nouns): string {
  const flags = [
    ...(home === undefined || text.includes("--home") ? [] : [`--home ${quoted(home)}`]),
    ...(host === undefined || text.includes("--host") ? [] : [`--host ${quoted(host)}`]),
  ].join(" ");
  if (flags === "") return text;
  return text.replace(/\bdispatch ([a-z]+)(?! --help)/g, (words, noun: string) =>
    nouns.has(noun) ? `dispatch ${flags} ${noun}` : words,
  );
}

/** The fields of a result that hold a command; texts of others stay as they are. */
export function placedResult<T>(value: T, place: Place, nouns: Nouns): T {
  const inner = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inner);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => {
        if (typeof member === "string" && commandFields.has(name))
          return [name, placed(member, place, nouns)];
        return [name, containers.has(name) ? inner(member) : member];
      }),
    );
  };
  return inner(value) as T;
}

/** The bold parts of a view, where commands are: nobody else's text can hold the marks of bold. */
export function placedView(view: string, place: Place, nouns: Nouns): string {
  const [begin, end] = paint("bold", "\n").split("\n") as [string, string];
  return view
    .split(begin)
    .map((part, at) => {
      if (at === 0) return part;
      const over = part.indexOf(end);
      if (over < 0 || !part.startsWith("dispatch ")) return part;
      return placed(part.slice(0, over), place, nouns) + part.slice(over);
    })
    .join(begin);
}
