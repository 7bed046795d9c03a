import * as v from "valibot";
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { pairs } from "../../base/table.ts";
import { cell, paint } from "../../base/text.ts";
import type { ClientCtx } from "../ctx.ts";
import { flag, seconds } from "../fields.ts";
import { clientOp } from "../op.ts";
import { endForReplacement } from "../replacing.ts";

export default clientOp({
  name: "daemon.up",
  cli: "up",
  group: "daemon",
  task: "maintain",
  summary: "Start the daemon, unless it runs",
  about:
    "Where the daemon is a service of this home, the service starts it. --replace is for after an upgrade: it waits until no turn runs, nothing is being delivered and no other command waits for its answer, and says what it waits for. Meanwhile no new turn starts. Then it ends the older daemon and starts one of this program. Texts that wait stay in their queues. A daemon of this very program goes on.",
  at: "client",
  intent: "write",
  repeat: "safe",
  input: v.strictObject({
    replace: v.optional(
      flag(v.boolean(), "take the place of an older daemon when its work has ended"),
      false,
    ),
    force: v.optional(
      flag(v.boolean(), "with --replace: at once, also while turns run; it interrupts them"),
      false,
    ),
    timeout: v.optional(
      seconds("with --replace: how long to wait for the work"),
      limits.client.replaceWaitMs / 1000,
    ),
  }),
  output: v.object({
    status: v.picklist(["started", "already_running", "replaced"]),
    /** The daemon whose place was taken. */
    replaced: v.nullable(v.object({ pid: v.number(), version: v.string() })),
    pid: v.number(),
    version: v.string(),
    socket: v.string(),
    home: v.string(),
    codex: v.object({ version: v.nullable(v.string()), state: v.string() }),
  }),
  fails: ["daemon_down", "storage", "denied", "stale"],
  examples: [],
  async run({ replace, force, timeout }, ctx) {
    if (force && !replace)
      fail("usage", "--force is for --replace", { hint: "dispatch up --replace --force" });
    const replaced = replace ? await endForReplacement(ctx, { force, timeoutMs: timeout * 1000 }) : null;
    const byService = (await ctx.gone(0)) && (await startedByService(ctx));
    const started = await ctx.start();
    const { pid, version, child } = started.daemon as {
      pid: number;
      version: string;
      child: { version: string | null; state: string };
    };
    const isNew = started.status === "started" || byService;
    const status = replaced
      ? ("replaced" as const)
      : isNew
        ? ("started" as const)
        : ("already_running" as const);
    return {
      status,
      replaced,
      pid,
      version,
      socket: ctx.paths.socket,
      home: ctx.paths.home,
      codex: { version: child.version, state: child.state },
    };
  },
  view(out, look) {
    const before = out.replaced ? `; it was ${out.replaced.version}, pid ${out.replaced.pid}` : "";
    const rows: [string, string][] = [
      ["daemon", `${paint("green", out.status.replace("_", " "))}, ${out.version}, pid ${out.pid}${before}`],
      ["home", cell(out.home)],
      ["codex", `${out.codex.state}${out.codex.version ? ` ${cell(out.codex.version)}` : ""}`],
    ];
    return pairs(rows, look);
  },
});

/** False when the daemon is not a service, or the service does not start it. */
async function startedByService(ctx: ClientCtx): Promise<boolean> {
  ctx.clearStopped();
  return (await ctx.service()).startInstalled();
}
