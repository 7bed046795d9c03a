/** Flags of every command. An op may not have a field of one of these names (scripts/generate refuses it). */
export interface GlobalFlag {
  type: "string" | "number" | "boolean";
  value?: string;
  description: string;
}

export const globalFlags: Readonly<Record<string, GlobalFlag>> = {
  home: {
    type: "string",
    value: "DIR",
    description: "where dispatch keeps its files (DISPATCH_HOME, ~/.dispatch)",
  },
  deadline: {
    type: "number",
    value: "SECONDS",
    description: "give up on the whole command after this long (exit 14)",
  },
  start: { type: "boolean", description: "--no-start: never start a daemon (DISPATCH_NO_START)" },
  json: { type: "boolean", description: "JSON on a terminal too; --no-json: the human view everywhere" },
  color: { type: "boolean", description: "colours, or not (NO_COLOR)" },
  quiet: { type: "boolean", description: "no notes on standard error" },
  yes: { type: "boolean", description: "do not ask before something is destroyed" },
  interactive: { type: "boolean", description: "--no-interactive: never ask, as without a terminal" },
  help: { type: "boolean", description: "this text" },
  version: { type: "boolean", description: "the version" },
};
