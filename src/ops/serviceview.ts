/** The output of the `service` commands. */
import * as v from "valibot";
import { pairs } from "../base/table.ts";
import { cell, exact, type Look, paint, type Style } from "../base/text.ts";
import { serviceStates } from "../contract/words.ts";
import type { ServiceReport } from "./ctx.ts";

export const serviceObject = v.object({
  manager: v.picklist(["systemd", "launchd"]),
  file: v.string(),
  state: v.picklist(serviceStates),
  /** It starts with each login. */
  enabled: v.boolean(),
  /** The process that the manager started. */
  pid: v.nullable(v.number()),
  /** The daemon that runs, no matter what started it. */
  daemon_pid: v.nullable(v.number()),
  program: v.nullable(v.array(v.string())),
  /** The executable that the service finds. */
  codex: v.nullable(v.string()),
  detail: v.nullable(v.string()),
  /** Of the file, for a dry run. */
  text: v.nullable(v.string()),
  /** The commands that were run, or with `dry_run` would be run. */
  commands: v.array(v.string()),
  /** Variables that are not in the file, because they may be secrets. */
  left: v.array(v.string()),
  /** The next command to type. */
  next: v.nullable(v.string()),
});

const style: Partial<Record<ServiceReport["state"], Style>> = {
  installed: "green",
  broken: "red",
  other: "yellow",
};

export function serviceText(report: ServiceReport, look: Look): string {
  const { manager, file, state, enabled, pid, daemon_pid, codex, detail, text, commands, left, next } =
    report;
  const runs = pid === null ? "not running" : `running, pid ${pid}`;
  const other =
    daemon_pid !== null && daemon_pid !== pid ? `; the daemon ${daemon_pid} is not of the service` : "";
  const rows: [string, string][] = [
    ["service", `${paint(style[state] ?? "dim", state)}, by ${manager}`],
    ["file", cell(file)],
    ...(state === "installed" || state === "broken"
      ? (
          [
            ["state", `${enabled ? "starts with each login" : "does not start by itself"}, ${runs}${other}`],
          ] as const
        ).map(([label, value]): [string, string] => [label, value])
      : []),
    ...(codex === null ? [] : [["codex", cell(codex)] as [string, string]]),
    ...(detail === null ? [] : [["detail", cell(detail)] as [string, string]]),
    ...(left.length === 0
      ? []
      : [["left out", `${left.map((name) => cell(name)).join(", ")}: may be secrets`] as [string, string]]),
    ...commands.map((command, at): [string, string] => [at === 0 ? "commands" : "", `$ ${cell(command)}`]),
    ...(next === null ? [] : [["next", cell(next)] as [string, string]]),
  ];
  return `${pairs(rows, look)}${text === null ? "" : `\n\n${exact(text)}`}`;
}
