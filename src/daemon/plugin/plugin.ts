/** `dispatch plugin`: the carried plugin in the hosts of this machine, through the hosts' own commands. */
import { dirname } from "node:path";
import { look } from "../../base/directory.ts";
import { inheritedEnv } from "../../base/env.ts";
import { DispatchError, errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Paths } from "../../base/paths.ts";
import type { Env } from "../../base/spawn.ts";
import { version } from "../../base/version.ts";
import type { Plugin, PluginReport, PluginRow } from "../../ops/ctx.ts";
import { configuredCodex } from "../config.ts";
import { type Host, lineOf, listed, runStep, type Step, stateOf } from "./host.ts";
import { claudeHost, codexHost, withFilesChecked } from "./hosts.ts";
import { removeUnpacked, unpack, unpackedIn } from "./unpack.ts";

type Chosen = Partial<Record<Host["name"], boolean | undefined>>;

/** `env` is a parameter for tests. */
export function pluginOf(paths: Paths, env: Env = inheritedEnv()): Plugin {
  const folder = unpackedIn(paths.home);
  const all = hostsOf(paths);
  const report = (hosts: PluginRow[]): PluginReport => ({ version, folder, hosts });
  const each = (chosen: Chosen, work: (host: Host, row: PluginRow) => Promise<PluginRow>) =>
    eachHost(all, chosen, env, work);

  return {
    async status(chosen) {
      return report(await each(chosen, async (_host, row) => row));
    },

    async install({ dry_run, ...chosen }) {
      let isUnpacked = dry_run;
      return report(
        await each(chosen, async (host, row) => {
          const steps = host.install(folder, row.version !== null);
          // Not before a host is found that wants it.
          if (!isUnpacked) unpack(paths.home);
          isUnpacked = true;
          return taken(host, row, steps, env, dry_run);
        }),
      );
    },

    async remove({ dry_run, ...chosen }) {
      const rows = await each(chosen, (host, row) => taken(host, row, host.remove, env, dry_run));
      if (!dry_run && look(folder)) {
        const others = all.filter(({ name }) => !rows.some((row) => row.host === name));
        const left = await Promise.all(others.map((host) => rowOf(host, env)));
        const isUsed = [...rows, ...left].some(({ state }) => state !== "absent" && state !== "missing");
        if (!isUsed) removeUnpacked(paths.home);
      }
      return report(rows);
    },
  };
}

/** One row for each host, whatever becomes of the others. A host that is not there is an error only when it was named. */
async function eachHost(
  all: readonly Host[],
  chosen: Chosen,
  env: Env,
  work: (host: Host, row: PluginRow) => Promise<PluginRow>,
): Promise<PluginRow[]> {
  const named = all.filter(({ name }) => chosen[name] === true);
  const hosts = named.length > 0 ? named : all.filter(({ name }) => chosen[name] !== false);
  const rows: PluginRow[] = [];
  for (const host of hosts) {
    const row = await rowOf(host, env);
    const isStopped = row.program === null || row.error !== null;
    rows.push(isStopped ? row : await work(host, row).catch((thrown) => failed(row, thrown)));
  }
  if (rows.every(({ state }) => state === "missing")) {
    const [first] = rows as [PluginRow];
    const which = rows.length > 1 ? "neither Codex nor Claude Code is on PATH" : first.error!.message;
    fail(rows.length > 1 ? "not_found" : first.error!.code, which, {
      hint: rows.map(({ next }) => next).join(", or "),
    });
  }
  const isNamed = named.length > 0;
  return rows.map((row) => (row.state === "missing" && !isNamed ? { ...row, error: null } : row));
}

/** What the host has now. */
async function rowOf(
  host: Host,
  env: Env,
  timeoutMs: number = limits.plugin.listTimeoutMs,
): Promise<PluginRow> {
  const row: PluginRow = {
    host: host.name,
    program: null,
    state: "missing",
    version: null,
    detail: null,
    commands: [],
    error: null,
    next: null,
  };
  try {
    row.program = await host.find(env);
    row.state = "unknown";
    // A host that was never used has nothing installed, and would make its folder to say so.
    const isUsed = look(host.configFolder(env)) !== undefined;
    const installed = isUsed ? withFilesChecked(await listed(host, row.program, env, timeoutMs)) : undefined;
    const state = stateOf(installed);
    const found = { ...row, state, version: installed?.version ?? null, detail: installed?.fault ?? null };
    if (state === "disabled") return found;
    if (state === "current") return { ...found, ...pathNote(env) };
    return { ...found, next: `dispatch plugin install --${host.name}` };
  } catch (thrown) {
    return failed(row, thrown);
  }
}

/** The hosts start the MCP server by its name. */
function pathNote(env: Env): Partial<PluginRow> {
  if (Bun.which("dispatch", { PATH: env["PATH"] ?? "" }) !== null) return {};
  return {
    detail: "its MCP server is `dispatch`, which is not on this PATH",
    next: `export PATH="${dirname(process.execPath)}:$PATH"`,
  };
}

/** Takes the steps, and looks at the host again. */
async function taken(
  host: Host,
  before: PluginRow,
  steps: readonly Step[],
  env: Env,
  isDry: boolean,
): Promise<PluginRow> {
  const program = before.program!;
  const commands = steps.map(({ args }) => lineOf(program, args));
  if (isDry) return { ...before, commands, next: null };
  const run: string[] = [];
  try {
    for (const [at, step] of steps.entries()) {
      run.push(commands[at]!);
      await runStep(host, program, step, env);
    }
    const after = await rowOf(host, env);
    return { ...after, commands, ...(steps === host.remove ? { next: null } : {}) };
  } catch (thrown) {
    return failed({ ...before, commands: run }, thrown);
  }
}

function failed(row: PluginRow, thrown: unknown): PluginRow {
  const error = thrown instanceof DispatchError ? thrown : undefined;
  return {
    ...row,
    error: { code: error?.code ?? "internal", message: errorMessage(thrown) },
    next: error?.hint ?? null,
  };
}

/** The hosts that are there, for `doctor`. Never throws. */
export async function foundHosts(paths: Paths, env: Env, timeoutMs: number): Promise<PluginRow[]> {
  const rows = await Promise.all(hostsOf(paths).map((host) => rowOf(host, env, timeoutMs)));
  return rows.filter(({ state }) => state !== "missing");
}

function hostsOf({ config }: Paths): Host[] {
  return [codexHost(() => configuredCodex(config)), claudeHost];
}
