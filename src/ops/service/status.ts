import * as v from "valibot";
import { clientOp } from "../op.ts";
import { serviceObject, serviceText } from "../serviceview.ts";

export default clientOp({
  name: "service.status",
  cli: "service status",
  group: "daemon",
  task: "maintain",
  summary: "Show whether the daemon is a service of systemd or launchd",
  about: `absent     not installed
installed  it starts with each login
broken     the program or Codex is not where the service looks for it
other      the file is of another home, or not of dispatch`,
  at: "client",
  intent: "read",
  repeat: "safe",
  isForPersons: true,
  input: v.strictObject({}),
  output: serviceObject,
  fails: ["not_found"],
  examples: [],
  run: async (_input, ctx) => (await ctx.service()).status(),
  view: serviceText,
});
