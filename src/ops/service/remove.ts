import * as v from "valibot";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { flag } from "../fields.ts";
import { clientOp } from "../op.ts";
import { serviceObject, serviceText } from "../serviceview.ts";

export default clientOp({
  name: "service.remove",
  cli: "service remove",
  group: "daemon",
  task: "maintain",
  summary: "Undo service install",
  about:
    "Stops the daemon when it is the service's, which is refused while turns run. The next command starts a daemon of its own. Threads and the registry stay as they are.",
  at: "client",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({
    force: v.optional(flag(v.boolean(), "also while turns run: it interrupts them"), false),
    dry_run: v.optional(flag(v.boolean(), "only print the commands"), false),
  }),
  output: serviceObject,
  fails: ["not_found", "thread_busy", "conflict", "agent", "denied", "storage"],
  examples: [],
  async run({ force, dry_run }, ctx) {
    const service = await ctx.service();
    const { state, pid, daemon_pid } = await service.status();
    const isOurs = (state === "installed" || state === "broken") && pid !== null && pid === daemon_pid;
    if (isOurs && !dry_run) {
      await ctx.call("daemon.stop", { force });
      if (!(await ctx.gone(limits.daemon.shutdownGraceMs + limits.daemon.shutdownCallsMs)))
        fail("timeout", `the daemon ${pid} has not exited`, { hint: "dispatch daemon status" });
    }
    return service.remove({ dry_run });
  },
  view: serviceText,
});
