import * as v from "valibot";
import { flag } from "../fields.ts";
import { clientOp } from "../op.ts";
import { serviceObject, serviceText } from "../serviceview.ts";

export default clientOp({
  name: "service.install",
  cli: "service install",
  group: "daemon",
  task: "maintain",
  summary: "Run the daemon as a service: with each login, and again after a crash",
  about:
    "Writes a user unit of systemd, or an agent of launchd, and starts it unless a daemon runs. " +
    "It records the program, PATH, CODEX_HOME and the network variables of this shell, because a service has no profile. Values that may be secrets are left out and named: add them with `systemctl --user edit dispatch`.\n" +
    "Run it again after a change of those. On Linux `loginctl enable-linger` starts it without a login.",
  at: "client",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({
    dry_run: v.optional(flag(v.boolean(), "only print the file and the commands"), false),
  }),
  output: serviceObject,
  fails: ["not_found", "daemon_down", "agent_down", "conflict", "agent", "denied", "storage"],
  examples: [],
  async run({ dry_run }, ctx) {
    // The marker of `down` is about a daemon that commands start. To install a service is to want a daemon.
    if (!dry_run) ctx.clearStopped();
    return (await ctx.service()).install({ dry_run });
  },
  view: serviceText,
});
