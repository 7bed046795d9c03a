/** The commands that are not ops, because their answer is no object: a server and a screen. Each is loaded when it runs. */
import { fail } from "../../base/error.ts";
import { readFlags } from "./flags.ts";
import { globalFlags } from "./globals.ts";
import type { Command, CommandContext, CommandData, OwnFlag } from "./tree.ts";

type Switches = Readonly<Record<string, boolean | undefined>>;

function own(
  meta: Command["meta"],
  more: Pick<Command, "group"> & { forms: Readonly<Record<string, OwnFlag>>; about?: string },
  run: (context: CommandContext, flags: Switches) => Promise<number>,
): Command {
  const { group, ...help } = more;
  return {
    meta,
    group,
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
    group: "daemon",
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
    group: "thread",
    forms: {
      plain: {
        type: "boolean",
        description:
          "one line for each change and no keys, for a screen reader or a pipe; with --json: NDJSON",
      },
    },
    about: `The board needs a terminal. It reads the event log and does not poll. It never starts a daemon that stopped
while it ran.

up, down, j, k, PgUp, PgDn, Home, End   choose a thread; esc lets the order move again
enter   open the thread: its last turns, live       a   answer what it asks
s       send it a text                              x   stop its turn
/       filter by title, ref, folder or state       ?   help
q       quit, as Ctrl-C does                        ^Z  suspend`,
  },
  async (context, flags) => {
    const { runTop } = await import("../top/top.ts");
    return runTop({ ...context, isPlain: flags["plain"] === true });
  },
);

export const ownCommands: readonly Command[] = [mcp, top];
