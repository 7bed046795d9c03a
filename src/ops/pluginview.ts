/** The output of the `plugin` commands: one row for each host. */
import * as v from "valibot";
import { codes } from "../base/error.ts";
import { cell, paint, type Style } from "../base/text.ts";
import { pluginHosts, pluginStates } from "../contract/words.ts";
import type { PluginReport } from "./ctx.ts";
import { flag } from "./fields.ts";

export const hostFields = {
  codex: v.optional(flag(v.boolean(), "only Codex; with neither flag: each host on PATH")),
  claude: v.optional(flag(v.boolean(), "only Claude Code")),
};

export const reportObject = v.object({
  /** Of the plugin that this dispatch carries. */
  version: v.string(),
  /** The folder from which the hosts install it. */
  folder: v.string(),
  hosts: v.array(
    v.object({
      host: v.picklist(pluginHosts),
      program: v.nullable(v.string()),
      state: v.picklist(pluginStates),
      version: v.nullable(v.string()),
      detail: v.nullable(v.string()),
      /** The commands that were run, or with `dry_run` would be run. */
      commands: v.array(v.string()),
      error: v.nullable(
        v.object({ code: v.picklist(Object.keys(codes) as (keyof typeof codes)[]), message: v.string() }),
      ),
      /** The next command to type. */
      next: v.nullable(v.string()),
    }),
  ),
});

const style: Partial<Record<(typeof pluginStates)[number], Style>> = {
  current: "green",
  older: "yellow",
  newer: "yellow",
  broken: "red",
  unknown: "red",
};

/** The exit status of the first host that failed. */
export function exitOfReport({ hosts }: PluginReport): number {
  const failed = hosts.find(({ error }) => error !== null)?.error;
  return failed ? codes[failed.code].exit : 0;
}

export function reportText({ version, hosts }: PluginReport): string {
  const lines = hosts.flatMap(({ host, state, version: installed, detail, commands, error, next }) => [
    [
      host.padEnd(6),
      paint(style[state] ?? "dim", state),
      ...(installed === null ? [] : [cell(installed)]),
      ...(detail === null ? [] : [paint("dim", cell(detail))]),
    ].join("  "),
    ...commands.map((command) => `        $ ${cell(command)}`),
    ...(error === null ? [] : [`        ${paint("red", `${error.code}: ${cell(error.message)}`)}`]),
    ...(next === null ? [] : [`        -> ${cell(next)}`]),
  ]);
  return `${lines.join("\n")}\n\nthis dispatch carries ${version}`;
}
