import * as v from "valibot";
import { fail } from "../../base/error.ts";
import { cell } from "../../base/text.ts";
import { flag } from "../fields.ts";
import { op } from "../op.ts";

/** What `down` asks of the daemon; it then waits until the process is gone. */
export default op({
  name: "daemon.stop",
  cli: "daemon stop",
  group: "daemon",
  summary: "Begin a graceful stop (dispatch down also waits for it)",
  intent: "write",
  repeat: "safe",
  start: "never",
  frozen: true,
  hidden: true,
  input: v.strictObject({
    force: v.optional(flag(v.boolean(), "also while turns run: they are cut"), false),
  }),
  output: v.object({ pid: v.number(), cut: v.array(v.string()) }),
  fails: ["lane_busy", "daemon_down", "denied"],
  examples: [
    { given: "two threads", input: {}, output: { cut: [] } },
    { given: "a running turn", input: {}, error: "lane_busy" },
  ],
  run({ force }, { core, host }) {
    const running = core.running();
    if (running.length > 0 && !force) {
      const named = running.map(({ ref, title }) => `${ref} "${cell(title)}"`).join(", ");
      fail("lane_busy", `${running.length === 1 ? "a turn runs" : `${running.length} turns run`}: ${named}`, {
        hint: "dispatch wait, dispatch stop, or dispatch down --force",
        data: { running: running.map(({ ref }) => ref) },
      });
    }
    host.stop();
    return { pid: host.pid, cut: running.map(({ ref }) => ref) };
  },
  view: ({ pid }) => `stopping ${pid}`,
});
