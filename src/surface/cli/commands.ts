/** Finding a command by its words. Ours, since citty takes `toString` for one. */
import { fail } from "../../base/error.ts";
import { nearest } from "../../base/nearest.ts";
import type { IndexRow } from "../../ops/op.ts";

/** Of the index, or `mcp`. */
export type Command = Pick<IndexRow, "cli" | "group" | "summary"> & {
  run(args: readonly string[]): Promise<number>;
};

/** The one command that is no op. */
export const mcpCommand = {
  cli: "mcp",
  group: "daemon",
  summary: "Serve MCP on standard input and output (--flat: a tool for each command)",
  forms: { flat: { type: "boolean" } },
} as const;

export interface Found {
  command: Command;
  /** The words that are left of it. */
  args: readonly string[];
}

export type Route = Found | { noun: string; under: Command[] } | { root: true };

/** What the first words name. Throws on words that name nothing, with the nearest that do. */
export function routeOf(words: readonly string[], commands: readonly Command[]): Route {
  const [first, second] = words;
  if (first === undefined) return { root: true };
  if (first.startsWith("-"))
    return fail("usage", `unknown flag ${first} before the command`, { hint: "dispatch --help" });
  const single = commands.find((command) => command.cli === first);
  if (single) return withFlag(single, words.slice(1), commands);
  const under = commands.filter((command) => command.cli.startsWith(`${first} `));
  if (under.length === 0)
    return unknown(
      first,
      commands.flatMap((command) => [command.cli, command.cli.split(" ")[0]!]),
    );
  if (second === undefined || second.startsWith("-")) return { noun: first, under };
  const exact = under.find((command) => command.cli === `${first} ${second}`);
  return exact
    ? withFlag(exact, words.slice(2), commands)
    : unknown(
        `${first} ${second}`,
        under.map((command) => command.cli),
      );
}

/** A flag may make another command of it: `new --dry-run` only reads. */
function withFlag(command: Command, args: readonly string[], commands: readonly Command[]): Found {
  const ended = args.indexOf("--");
  const flags = ended < 0 ? args : args.slice(0, ended);
  for (const other of commands) {
    if (!other.cli.startsWith(`${command.cli} --`)) continue;
    const at = flags.indexOf(other.cli.slice(command.cli.length + 1));
    if (at >= 0) return { command: other, args: args.toSpliced(at, 1) };
  }
  return { command, args };
}

function unknown(word: string, candidates: readonly string[]): never {
  const right = nearest(word, candidates);
  return fail("usage", `unknown command "${word}"${right ? `; did you mean "${right}"?` : ""}`, {
    hint: right ? `dispatch ${right} --help` : "dispatch --help",
  });
}
