/** Checks the plugin that makes dispatch known to Codex and Claude Code. */
import type { PluginRow } from "../../ops/ctx.ts";
import { foundHosts } from "../plugin/plugin.ts";
import { type CheckContext, type Finding, ok, skipped, warn } from "./check.ts";

const install = "dispatch plugin install";

export async function checkPlugin({ paths, hostEnv, timeoutMs }: CheckContext): Promise<Finding> {
  const hosts = await foundHosts(paths, hostEnv, timeoutMs);
  const data = { hosts };
  const wrong = hosts.filter(({ state }) => state === "older" || state === "newer" || state === "broken");
  if (wrong.length > 0)
    return warn(wrong.map(wordsOf).join("; "), {
      detail: wrong.flatMap(({ detail }) => detail ?? []).join("; ") || undefined,
      recovery: wrong.length === 1 ? `${install} --${wrong[0]!.host}` : install,
      data,
    });
  const silent = hosts.flatMap(({ error }) => error?.message ?? []).join("; ") || undefined;
  const installed = hosts.filter(({ state }) => state === "current" || state === "disabled");
  if (installed.length === 0)
    return skipped(hosts.length === 0 ? "no host of plugins is on PATH" : "no host has the plugin", {
      detail: silent,
      recovery: install,
      data,
    });
  return ok(installed.map(wordsOf).join("; "), { detail: silent, data });
}

function wordsOf({ host, state, version }: PluginRow): string {
  if (state === "current") return `${host} has ${version}`;
  return `in ${host} it is ${state}${version === null ? "" : ` (${version})`}`;
}
