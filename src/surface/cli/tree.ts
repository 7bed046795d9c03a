/**
 * The tree of commands. citty runs a command of it; routing, help and completion read it. flags.ts reads the words after
 * a command, because it is stricter than citty, so citty receives no words.
 */
import { type CommandDef, defineCommand, runCommand } from "citty";
import type { Paths } from "../../base/paths.ts";
import type { IndexRow, Task } from "../../ops/op.ts";
import type { SurfaceDeps } from "../deps.ts";
import type { FlagForm } from "./flags.ts";
import type { Globals } from "./globals.ts";
import type { Output } from "./output.ts";
import { ownCommands } from "./own.ts";

/** What `runCli` knows before a command runs. */
export interface CommandContext {
  globals: Globals;
  deps: SurfaceDeps;
  out: Output;
  paths: Paths;
}

export interface Command extends CommandDef {
  /** `name`: all its words, such as `queue list`. */
  meta: { name: string; description: string };
  task: Task;
  /** The op. Absent for a command that is not an op. */
  row?: IndexRow;
  /** The flags of a command that is not an op, and what its help says besides its description. */
  own?: { forms: Readonly<Record<string, OwnFlag>>; about?: string };
  /** Other commands that a flag selects, by the flag: `new --dry-run`. */
  variants: Record<string, Command>;
}

export interface OwnFlag extends FlagForm {
  description: string;
}

/** The root, or a noun such as `queue`. */
export interface Branch extends CommandDef {
  subCommands: Record<string, Command | Branch>;
}

export function treeOf(index: readonly IndexRow[]): Branch {
  const root: Branch["subCommands"] = {};
  const rows = index.filter((row) => !row.hidden);
  for (const row of rows) {
    const [first, second] = row.cli.split(" ") as [string, string?];
    if (second === undefined) root[first] = opCommand(row, rows);
    else if (!second.startsWith("--")) {
      const known = root[first];
      const noun: Branch = known && isBranch(known) ? known : { subCommands: {} };
      noun.subCommands[second] = opCommand(row, rows);
      root[first] = noun;
    }
  }
  for (const command of ownCommands) root[command.meta.name] = command;
  return defineCommand({ subCommands: root }) as Branch;
}

function opCommand(row: IndexRow, rows: readonly IndexRow[]): Command {
  const variants = rows.filter(({ cli }) => cli.startsWith(`${row.cli} --`));
  return {
    meta: { name: row.cli, description: row.summary },
    task: row.task,
    row,
    variants: Object.fromEntries(
      variants.map((variant) => [variant.cli.slice(row.cli.length + 1), opCommand(variant, rows)]),
    ),
    run: async ({ data }) => {
      const { args, ...more } = data as CommandData;
      return (await import("./execute.ts")).execute(row, args, more);
    },
  };
}

export interface CommandData extends CommandContext {
  args: readonly string[];
}

/** Runs the command through citty. Returns the exit status. */
export async function runIn(
  more: CommandContext,
  command: Command,
  args: readonly string[],
): Promise<number> {
  const given: CommandData = { ...more, args };
  const { result } = await runCommand(command, { rawArgs: [], data: given });
  return result as number;
}

export function isBranch(node: Command | Branch): node is Branch {
  return !("variants" in node);
}

/** All commands under a node. The variants of a command follow it. */
export function commandsIn(node: Command | Branch): Command[] {
  return isBranch(node)
    ? Object.values(node.subCommands).flatMap(commandsIn)
    : [node, ...Object.values(node.variants)];
}

/** The node that the words name. Own properties only: `toString` is not a command. */
export function nodeAt(tree: Branch, words: readonly string[]): Command | Branch | undefined {
  let node: Command | Branch | undefined = tree;
  for (const word of words)
    node =
      node && isBranch(node) && Object.hasOwn(node.subCommands, word) ? node.subCommands[word] : undefined;
  return node;
}
