/** Finding a command by its words. Ours, since citty takes `toString` for one. */
import { fail } from "../../base/error.ts";
import type { IndexRow } from "../../ops/op.ts";
import { nearest } from "./nearest.ts";

/** Of the index, or one of the few that are no op. */
export type Command = Pick<IndexRow, "cli" | "group" | "summary"> & {
  run(args: readonly string[]): Promise<number>;
};

export type Route = { command: Command } | { noun: string; under: Command[] } | { root: true };

/** What the first words name. Throws on words that name nothing, with the nearest that do. */
export function routeOf(words: readonly string[], commands: readonly Command[]): Route {
  const [first, second] = words;
  if (first === undefined) return { root: true };
  if (first.startsWith("-"))
    return fail("usage", `unknown flag ${first} before the command`, { hint: "dispatch --help" });
  const single = commands.find((command) => command.cli === first);
  if (single) return { command: single };
  const under = commands.filter((command) => command.cli.startsWith(`${first} `));
  if (under.length === 0)
    return unknown(
      first,
      commands.flatMap((command) => [command.cli, command.cli.split(" ")[0]!]),
    );
  if (second === undefined || second.startsWith("-")) return { noun: first, under };
  const exact = under.find((command) => command.cli === `${first} ${second}`);
  return exact
    ? { command: exact }
    : unknown(
        `${first} ${second}`,
        under.map((command) => command.cli),
      );
}

function unknown(word: string, candidates: readonly string[]): never {
  const right = nearest(word, candidates);
  return fail("usage", `unknown command "${word}"${right ? `; did you mean "${right}"?` : ""}`, {
    hint: right ? `dispatch ${right} --help` : "dispatch --help",
  });
}
