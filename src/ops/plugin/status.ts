import * as v from "valibot";
import { clientOp } from "../op.ts";
import { exitOfReport, hostFields, reportObject, reportText } from "../pluginview.ts";

export default clientOp({
  name: "plugin.status",
  cli: "plugin status",
  group: "daemon",
  task: "maintain",
  summary: "Compare the installed plugins with that of this dispatch",
  about: `missing   the host is not on PATH
absent    the plugin is not installed
current   installed, in the version of this dispatch
older, newer   installed in another version
disabled  installed and switched off in the host
broken    installed, and the host cannot load it
unknown   the host did not answer`,
  at: "client",
  intent: "read",
  repeat: "safe",
  input: v.strictObject(hostFields),
  output: reportObject,
  fails: ["not_found", "agent_down", "agent"],
  examples: [],
  run: async (input, ctx) => (await ctx.plugin()).status(input),
  exit: exitOfReport,
  view: reportText,
});
