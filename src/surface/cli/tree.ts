/**
 * The one tree of commands. citty holds it and runs a command of it; routing, help and completion read it. The words
 * after a command are read by flags.ts, which refuses what citty would guess at: so citty is given none.
 */
import { type CommandDef, defineCommand, runCommand } from "citty";
import { fail } from "../../base/error.ts";
import type { Paths } from "../../base/paths.ts";
import type { Group, IndexRow } from "../../ops/op.ts";
import type { Parts } from "../parts.ts";
import { type Forms, readFlags } from "./flags.ts";
import { type Globals, globalFlags } from "./globals.ts";
import type { Output } from "./output.ts";

/** What is known before a command runs. */
export interface Surroundings {
  globals: Globals;
  parts: Parts;
  out: Output;
  paths: Paths;
}

export interface Command extends CommandDef {
  /** `name`: all its words. */
  meta: { name: string; description: string };
  group: Group;
  /** The op that it is; `mcp` is none. */
  row?: IndexRow;
  /** The flags of one that is no op. */
  forms?: Forms;
  /** What a flag makes of it: `new --dry-run` is a command of its own. */
  variants: Record<string, Command>;
}

/** The root, or a noun. */
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
  root["mcp"] = mcp;
  return defineCommand({ subCommands: root }) as Branch;
}

function opCommand(row: IndexRow, rows: readonly IndexRow[]): Command {
  const variants = rows.filter(({ cli }) => cli.startsWith(`${row.cli} --`));
  return {
    meta: { name: row.cli, description: row.summary },
    group: row.group,
    row,
    variants: Object.fromEntries(
      variants.map((variant) => [variant.cli.slice(row.cli.length + 1), opCommand(variant, rows)]),
    ),
    run: async ({ data }) => {
      const { args, ...more } = data as Given;
      return (await import("./execute.ts")).execute(row, args, more);
    },
  };
}

const mcpForms = { flat: { type: "boolean" } } as const;

/** The one command that is no op. */
const mcp: Command = {
  meta: {
    name: "mcp",
    description: "Serve MCP on standard input and output (--flat: a tool for each command)",
  },
  group: "daemon",
  forms: mcpForms,
  variants: {},
  run: async ({ data }) => {
    const { args, ...more } = data as Given;
    const { flags, positionals } = readFlags(args, mcpForms, { suggest: globalFlags });
    if (positionals.length > 0) return fail("usage", `unexpected "${positionals[0]}"`);
    const { serveMcp } = await import("../mcp/serve.ts");
    return serveMcp({ ...more, isFlat: flags["flat"] === true });
  },
};

interface Given extends Surroundings {
  args: readonly string[];
}

/** Answers the exit status. */
export async function runIn(more: Surroundings, command: Command, args: readonly string[]): Promise<number> {
  const given: Given = { ...more, args };
  const { result } = await runCommand(command, { rawArgs: [], data: given });
  return result as number;
}

export function isBranch(node: Command | Branch): node is Branch {
  return !("variants" in node);
}

/** All commands of it, what a flag makes of one behind that one. */
export function commandsIn(node: Command | Branch): Command[] {
  return isBranch(node)
    ? Object.values(node.subCommands).flatMap(commandsIn)
    : [node, ...Object.values(node.variants)];
}

/** What the words name. Own names only: `toString` is none. */
export function nodeAt(tree: Branch, words: readonly string[]): Command | Branch | undefined {
  let node: Command | Branch | undefined = tree;
  for (const word of words)
    node =
      node && isBranch(node) && Object.hasOwn(node.subCommands, word) ? node.subCommands[word] : undefined;
  return node;
}
