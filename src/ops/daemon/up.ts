import * as v from "valibot";
import { pairs } from "../../base/table.ts";
import { cell, paint } from "../../base/text.ts";
import { clientOp } from "../op.ts";

export default clientOp({
  name: "daemon.up",
  cli: "up",
  group: "daemon",
  task: "maintain",
  summary: "Start the daemon, unless it runs",
  at: "client",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({}),
  output: v.object({
    status: v.picklist(["started", "already_running"]),
    pid: v.number(),
    version: v.string(),
    socket: v.string(),
    home: v.string(),
    codex: v.object({ version: v.nullable(v.string()), state: v.string() }),
  }),
  fails: ["daemon_down", "storage", "denied"],
  examples: [],
  async run(_input, ctx) {
    const started = await ctx.start();
    const { pid, version, child } = started.daemon as {
      pid: number;
      version: string;
      child: { version: string | null; state: string };
    };
    return {
      status: started.status,
      pid,
      version,
      socket: ctx.paths.socket,
      home: ctx.paths.home,
      codex: { version: child.version, state: child.state },
    };
  },
  view(out, look) {
    const rows: [string, string][] = [
      ["daemon", `${paint("green", out.status.replace("_", " "))}, ${out.version}, pid ${out.pid}`],
      ["home", cell(out.home)],
      ["codex", `${out.codex.state}${out.codex.version ? ` ${cell(out.codex.version)}` : ""}`],
    ];
    return pairs(rows, look);
  },
});
