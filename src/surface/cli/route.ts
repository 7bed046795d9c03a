/** Finds a command by its words. Not citty's own resolver: that one accepts `toString` as a command. */
import { fail } from "../../base/error.ts";
import { nearest } from "../../base/nearest.ts";
import type { IndexRow } from "../../ops/op.ts";
import { type Branch, type Command, commandsIn, isBranch, nodeAt } from "./tree.ts";

export interface Found {
  command: Command;
  /** The words after the command. */
  args: readonly string[];
}

export type Route = Found | { noun: string; under: Branch } | { root: true };

/** The words of a command, also where the user gave those of the Python original. */
export function ownWords(words: readonly string[], index: readonly IndexRow[]): readonly string[] {
  const given = words.slice(0, 2).join(" ");
  const row = index.find(({ also }) => also === given);
  return row ? [...row.cli.split(" "), ...words.slice(2)] : words;
}

/** What the first words name. Throws `usage` on an unknown command, with the nearest one as the hint. */
export function routeOf(words: readonly string[], tree: Branch): Route {
  const [first, second] = words;
  if (first === undefined) return { root: true };
  if (first.startsWith("-"))
    return fail("usage", `unknown flag ${first} before the command`, { hint: "dispatch --help" });
  const node = nodeAt(tree, [first]);
  if (node === undefined)
    return unknown(first, [
      ...Object.keys(tree.subCommands),
      ...commandsIn(tree).map(({ meta }) => meta.name),
    ]);
  if (!isBranch(node)) return withFlag(node, words.slice(1));
  if (second === undefined || second.startsWith("-")) return { noun: first, under: node };
  const verb = nodeAt(tree, [first, second]);
  return verb && !isBranch(verb)
    ? withFlag(verb, words.slice(2))
    : unknown(
        `${first} ${second}`,
        commandsIn(node).map(({ meta }) => meta.name),
      );
}

/** A flag may select another op: `new --dry-run` only reads. */
function withFlag(command: Command, args: readonly string[]): Found {
  const ended = args.indexOf("--");
  const flags = ended < 0 ? args : args.slice(0, ended);
  for (const [flag, variant] of Object.entries(command.variants)) {
    const at = flags.indexOf(flag);
    if (at >= 0) return { command: variant, args: args.toSpliced(at, 1) };
  }
  return { command, args };
}

function unknown(word: string, candidates: readonly string[]): never {
  const right = nearest(word, candidates);
  return fail("usage", `unknown command "${word}"${right ? `; did you mean "${right}"?` : ""}`, {
    hint: right ? `dispatch ${right} --help` : "dispatch --help",
  });
}
