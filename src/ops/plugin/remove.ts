import * as v from "valibot";
import { flag } from "../fields.ts";
import { clientOp } from "../op.ts";
import { exitOfReport, hostFields, reportObject, reportText } from "../pluginview.ts";

export default clientOp({
  name: "plugin.remove",
  cli: "plugin remove",
  group: "daemon",
  task: "maintain",
  summary: "Remove the plugin from Codex and Claude Code",
  about:
    "Undoes `plugin install`: the plugin, its marketplace, and, when no host has it any more, plugin/ in dispatch's home. " +
    "Threads, the registry and the daemon stay as they are.",
  at: "client",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({
    ...hostFields,
    dry_run: v.optional(flag(v.boolean(), "only print the commands"), false),
  }),
  output: reportObject,
  fails: ["not_found", "agent_down", "agent", "denied", "storage"],
  examples: [],
  run: async (input, ctx) => (await ctx.plugin()).remove(input),
  exit: exitOfReport,
  view: reportText,
});
