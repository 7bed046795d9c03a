/** The daemon's own command line. `__daemon` is how the one executable is told to be the daemon under another name. */
import { parseArgs } from "node:util";
import { errorMessage, fail } from "../base/error.ts";

export interface DaemonArgs {
  foreground: boolean;
  home: string | undefined;
  ask: "version" | "help" | undefined;
}

export const usage = `dispatchd [--foreground] [--home DIR]

Runs the dispatch daemon. With --foreground: in this terminal, its log and a ready line on stderr, ended by Ctrl-C.
Commands of \`dispatch\` start it by themselves.
`;

export function daemonArgs(argv: readonly string[]): DaemonArgs {
  try {
    const { values } = parseArgs({
      args: argv.filter((word, at) => at > 0 || word !== "__daemon"),
      options: {
        foreground: { type: "boolean" },
        home: { type: "string" },
        version: { type: "boolean" },
        help: { type: "boolean" },
      },
      strict: true,
    });
    const ask = values.version ? "version" : values.help ? "help" : undefined;
    return { foreground: values.foreground ?? false, home: values.home, ask };
  } catch (cause) {
    return fail("usage", errorMessage(cause), { hint: "dispatchd --help", cause });
  }
}
