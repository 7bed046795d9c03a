/** The commands that are not ops, because their answer is no object: a server and a screen. Each is loaded when it runs. */
import { fail } from "../../base/error.ts";
import { readFlags } from "./flags.ts";
import { globalFlags } from "./globals.ts";
import type { Command, CommandContext, CommandData, OwnFlag } from "./tree.ts";

type Switches = Readonly<Record<string, boolean | undefined>>;

function own(
  meta: Command["meta"],
  more: Pick<Command, "task"> & { forms: Readonly<Record<string, OwnFlag>>; about?: string },
  run: (context: CommandContext, flags: Switches) => Promise<number>,
): Command {
  const { task, ...help } = more;
  return {
    meta,
    task,
    own: help,
    variants: {},
    run: async ({ data }) => {
      const { args, ...context } = data as CommandData;
      const { flags, positionals } = readFlags(args, more.forms, { suggest: globalFlags });
      if (positionals.length > 0) return fail("usage", `unexpected "${positionals[0]}"`);
      return run(context, flags as Switches);
    },
  };
}

const mcp = own(
  {
    name: "mcp",
    description:
      "Serve MCP on standard input and output (--flat: one tool per command; --codex-compat: also codex and codex-reply)",
  },
  {
    task: "maintain",
    forms: {
      flat: {
        type: "boolean",
        description: "one tool per command; --no-flat: one per group; else by the host",
      },
      "codex-compat": { type: "boolean", description: "also the tools codex and codex-reply" },
    },
  },
  async (context, flags) => {
    const { serveMcp } = await import("../mcp/serve.ts");
    return serveMcp({ ...context, isFlat: flags["flat"], isCompat: flags["codex-compat"] === true });
  },
);

const top = own(
  { name: "top", description: "Show all threads on a live board, and answer, send and stop from it" },
  {
    task: "look",
    forms: {
      plain: {
        type: "boolean",
        description:
          "one line for each change and no keys, for a screen reader or a pipe; with --json: NDJSON",
      },
      hosts: { type: "boolean", description: "also every host of the configuration, as box/ref" },
    },
    about: `The board needs a terminal. It reads the event log and does not poll. While it
runs it starts no daemon: it waits for one.

up, down, j, k, PgUp, PgDn, Home, End   choose a thread
esc     let the order of the rows move again; on other pages: back
enter   open the thread: its last turns, live
a       show what it asks, and answer it
s       send it a text        x       stop its turn
/       filter by a part of title, ref, folder or status
?       help                  q       quit, as Ctrl-C does`,
  },
  async (context, flags) => {
    const { runTop } = await import("../top/top.ts");
    return runTop({ ...context, isPlain: flags["plain"] === true, isOfHosts: flags["hosts"] === true });
  },
);

export const ownCommands: readonly Command[] = [mcp, top];
