import * as v from "valibot";
import { codes } from "../../base/error.ts";
import { cell, paint, type Style } from "../../base/text.ts";
import { version } from "../../base/version.ts";
import { flag, seconds } from "../fields.ts";
import { clientOp } from "../op.ts";

const statuses = ["ok", "warn", "fail", "skipped"] as const;
const style: Partial<Record<(typeof statuses)[number], Style>> = {
  ok: "green",
  warn: "yellow",
  fail: "red",
  skipped: "dim",
};

export default clientOp({
  name: "daemon.doctor",
  cli: "doctor",
  group: "daemon",
  task: "maintain",
  summary: "Check everything that dispatch needs",
  about:
    "Needs no daemon and starts none. --fix makes only repairs that cannot lose data: file modes, a missing directory, " +
    "remains of an interrupted daemon, backup or down. It does not change the registry or Codex's files. " +
    "The exit status is 8 when a check fails. Warnings do not change it.",
  at: "client",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    app_server: v.optional(flag(v.boolean(), "start a private app-server and test it"), true),
    fix: v.optional(flag(v.boolean(), "make the safe repairs", { cli_only: true }), false),
    timeout: v.optional(seconds("how long to wait for the app-server"), 10),
  }),
  output: v.object({
    status: v.picklist(["ok", "warn", "fail"]),
    version: v.string(),
    checks: v.array(
      v.object({
        name: v.string(),
        status: v.picklist(statuses),
        summary: v.string(),
        detail: v.nullable(v.string()),
        recovery: v.nullable(v.string()),
        fixable: v.boolean(),
        fixed: v.array(v.string()),
        data: v.nullable(v.record(v.string(), v.unknown())),
      }),
    ),
  }),
  fails: ["turn_failed"],
  examples: [],
  async run({ app_server, fix, timeout }, ctx) {
    const checks = await ctx.doctor({ app_server, fix, timeoutMs: timeout * 1000 });
    const has = (status: string) => checks.some((check) => check.status === status);
    const status = has("fail") ? ("fail" as const) : has("warn") ? ("warn" as const) : ("ok" as const);
    return { status, version, checks };
  },
  exit: ({ status }) => (status === "fail" ? codes.turn_failed.exit : 0),
  lean: ({ status, version, checks }) => ({
    status,
    version,
    checks: checks
      .filter((check) => check.status === "warn" || check.status === "fail")
      .map(({ name, status, summary, recovery }) => ({ name, status, summary, recovery })),
  }),
  view({ checks, status }) {
    const lines = checks.flatMap((check) => {
      const mark = paint(style[check.status] ?? "dim", check.status.padEnd(7));
      const more = [
        ...check.fixed.map((what) => `${paint("green", "fixed:")} ${cell(what)}`),
        ...(check.status === "ok" || check.detail === null ? [] : [cell(check.detail)]),
        ...(check.recovery === null ? [] : [`-> ${cell(check.recovery)}`]),
      ];
      return [
        `${mark}  ${check.name.padEnd(12)}  ${cell(check.summary)}`,
        ...more.map((line) => `${" ".repeat(23)}${line}`),
      ];
    });
    const fixable = checks.filter((check) => check.fixable).map(({ name }) => name);
    const way =
      fixable.length > 0 ? `; ${paint("bold", "dispatch doctor --fix")} repairs: ${fixable.join(", ")}` : "";
    return `${lines.join("\n")}\n\n${paint("bold", status)}${way}`;
  },
});
