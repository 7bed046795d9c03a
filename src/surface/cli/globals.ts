/** The flags of every command, at any position. No op may have a field of such a name (scripts/generate checks it). */
import type { FlagForm } from "./flags.ts";

export interface GlobalFlag extends FlagForm {
  /** The placeholder of the value in help. */
  value?: string;
  description: string;
  /** Shown as `--no-x`, because `--x` is the default. */
  isNegative?: true;
}

export const globalFlags = {
  home: {
    type: "string",
    value: "DIR",
    description: "the folder of dispatch's files; default DISPATCH_HOME, else ~/.dispatch",
  },
  host: {
    type: "string",
    value: "HOST",
    description: "run on another machine: a name of [hosts], or ssh://[user@]box[:port]; also DISPATCH_HOST",
  },
  deadline: {
    type: "number",
    value: "SECONDS",
    description: "give up the whole command after this time (exit 14)",
  },
  start: { type: "boolean", isNegative: true, description: "never start a daemon; also DISPATCH_NO_START" },
  json: { type: "boolean", description: "print JSON on a terminal too; --no-json: never print JSON" },
  color: { type: "boolean", description: "use colours; --no-color or NO_COLOR: none" },
  quiet: { type: "boolean", description: "no notes on standard error" },
  yes: { type: "boolean", description: "do not ask before a destructive command" },
  interactive: { type: "boolean", isNegative: true, description: "never ask, as if there were no terminal" },
  help: { type: "boolean", description: "show what a command does and its arguments" },
  version: { type: "boolean", description: "show the version of this program" },
} as const satisfies Record<string, GlobalFlag>;

/** The values that `readFlags` returns for the forms above. */
export interface Globals {
  home?: string;
  host?: string;
  deadline?: number;
  start?: boolean;
  json?: boolean;
  color?: boolean;
  quiet?: boolean;
  yes?: boolean;
  interactive?: boolean;
  help?: boolean;
  version?: boolean;
}
