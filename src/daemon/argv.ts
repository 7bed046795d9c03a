/** The command line of the daemon. A first word `__daemon` makes `dispatch` run as the daemon. */
import { parseArgs } from "node:util";
import { errorMessage, fail } from "../base/error.ts";

export interface DaemonArgs {
  foreground: boolean;
  /** A manager of services started it. */
  service: boolean;
  home: string | undefined;
  ask: "version" | "help" | undefined;
}

export const usage = `dispatchd [--foreground | --service] [--home DIR]

Runs the dispatch daemon. With --foreground it runs in this terminal until Ctrl-C, with its log on stderr.
With --service a manager of services runs it, also after a dispatch down.
The commands of \`dispatch\` start the daemon themselves.
`;

export function daemonArgs(argv: readonly string[]): DaemonArgs {
  try {
    const { values } = parseArgs({
      args: argv.filter((word, at) => at > 0 || word !== "__daemon"),
      options: {
        foreground: { type: "boolean" },
        service: { type: "boolean" },
        home: { type: "string" },
        version: { type: "boolean" },
        help: { type: "boolean" },
      },
      strict: true,
    });
    const ask = values.version ? "version" : values.help ? "help" : undefined;
    const { foreground = false, service = false } = values;
    return { foreground, service, home: values.home, ask };
  } catch (cause) {
    return fail("usage", errorMessage(cause), { hint: "dispatchd --help", cause });
  }
}
