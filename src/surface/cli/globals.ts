/** Flags of every command, wherever they stand. No op may have a field of such a name (scripts/generate refuses it). */
import type { FlagForm } from "./flags.ts";

export interface GlobalFlag extends FlagForm {
  /** What stands for the value in help. */
  value?: string;
  description: string;
  /** Shown as `--no-x`: the other way round is how it is anyhow. */
  isNegative?: true;
}

export const globalFlags = {
  home: {
    type: "string",
    value: "DIR",
    description: "where dispatch keeps its files; else DISPATCH_HOME, ~/.dispatch",
  },
  deadline: {
    type: "number",
    value: "SECONDS",
    description: "give up on the whole command after this long (exit 14)",
  },
  start: { type: "boolean", isNegative: true, description: "never start a daemon; also DISPATCH_NO_START" },
  json: { type: "boolean", description: "JSON on a terminal too; --no-json: the human view everywhere" },
  color: { type: "boolean", description: "colours; --no-color or NO_COLOR: none" },
  quiet: { type: "boolean", description: "no notes on standard error" },
  yes: { type: "boolean", description: "do not ask before something is destroyed" },
  interactive: { type: "boolean", isNegative: true, description: "never ask, as without a terminal" },
  help: { type: "boolean", description: "what a command does and takes" },
  version: { type: "boolean", description: "the version of this program" },
} as const satisfies Record<string, GlobalFlag>;

/** What the tokenizer makes of them, by the forms above. */
export interface Globals {
  home?: string;
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
