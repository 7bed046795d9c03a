import * as v from "valibot";
import { flag } from "../fields.ts";
import { clientOp } from "../op.ts";
import { exitOfReport, hostFields, reportObject, reportText } from "../pluginview.ts";

export default clientOp({
  name: "plugin.install",
  cli: "plugin install",
  group: "daemon",
  task: "maintain",
  summary: "Install the plugin with its skills into Codex and Claude Code",
  about:
    "Writes the plugin that this program carries to plugin/ in dispatch's home and has each host install it from there, " +
    "by the host's own commands. Run it again after an upgrade of dispatch. Needs no daemon and no network. Sessions of a " +
    "host that run already do not see the plugin: start new ones.",
  at: "client",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({
    ...hostFields,
    dry_run: v.optional(flag(v.boolean(), "only print the commands"), false),
  }),
  output: reportObject,
  fails: ["not_found", "conflict", "agent_down", "agent", "denied", "storage"],
  examples: [],
  run: async (input, ctx) => (await ctx.plugin()).install(input),
  exit: exitOfReport,
  view: reportText,
});
