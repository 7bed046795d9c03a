/** What the two hosts have in common: a program with plugin commands, its answers, and what it says when it refuses. */
import { type Code, DispatchError } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { quoted } from "../../base/privacy.ts";
import { type Env, type RunResult, run } from "../../base/spawn.ts";
import { isNewer, version } from "../../base/version.ts";
import { isCause } from "../../codex/printed.ts";
import type { PluginRow } from "../../ops/ctx.ts";

/** Of the marketplace, and of the plugin in it. */
export const marketplace = "dispatch";
export const pluginId = "dispatch@dispatch";

/** What a host's list says of our plugin. Undefined: it is not installed. */
export interface Installed {
  version: string | null;
  isEnabled: boolean;
  /** Why it cannot load. */
  fault: string | null;
  /** The folder with the files that the host loads, where that is known. */
  folder: string | null;
}

/** A command of the host, and what it says when there is nothing to do. */
export interface Step {
  args: readonly string[];
  isDone?: RegExp;
}

export interface Refusal {
  what: RegExp;
  code: Code;
  /** The next command to type. */
  next: string;
}

export interface Host {
  name: PluginRow["host"];
  /** Throws, with how to install it, when it is not there. */
  find(env: Env): Promise<string>;
  /** Where it keeps its configuration: without that folder nothing is installed. */
  configFolder(env: Env): string;
  list: readonly string[];
  /** Reads the answer to `list`. Throws when it cannot be read. */
  read(stdout: string, env: Env): Installed | undefined;
  install(folder: string, isInstalled: boolean): Step[];
  remove: readonly Step[];
  /** The first that fits is reported. */
  refusals: readonly Refusal[];
}

/** Runs a command of the host. Throws when it fails, with the next command to type as the hint. */
export async function runStep(host: Host, program: string, step: Step, env: Env): Promise<void> {
  const result = await call(program, step.args, env, limits.plugin.changeTimeoutMs);
  if (result.code !== 0 && !step.isDone?.test(textOf(result)))
    throw refusalOf(host, program, step.args, result);
}

/** Asks the host for its plugins. Throws as `runStep`. */
export async function listed(
  host: Host,
  program: string,
  env: Env,
  timeoutMs: number,
): Promise<Installed | undefined> {
  const result = await call(program, host.list, env, timeoutMs);
  const fault = result.code === 0 ? null : textOf(result);
  // The marketplace's folder is gone: the host no longer knows any plugin of it.
  if (fault?.includes(`\`${marketplace}\``))
    return { version: null, isEnabled: true, fault: spoken(result), folder: null };
  if (fault !== null) throw refusalOf(host, program, host.list, result);
  try {
    return host.read(result.stdout, env);
  } catch (cause) {
    throw new DispatchError("agent", `${lineOf(program, host.list)} printed no list of plugins`, {
      hint: lineOf(program, host.list),
      cause,
    });
  }
}

export function stateOf(installed: Installed | undefined): PluginRow["state"] {
  if (installed === undefined) return "absent";
  if (installed.fault !== null) return "broken";
  if (!installed.isEnabled) return "disabled";
  if (installed.version === version) return "current";
  return installed.version !== null && isNewer(installed.version, version) ? "newer" : "older";
}

/** The command as it is typed in a shell. */
export function lineOf(program: string, args: readonly string[]): string {
  return [program, ...args].map(quoted).join(" ");
}

function call(program: string, args: readonly string[], env: Env, timeoutMs: number): Promise<RunResult> {
  return run([program, ...args], { timeoutMs, bytesMax: limits.plugin.outputBytesMax, env });
}

function refusalOf(host: Host, program: string, args: readonly string[], result: RunResult): DispatchError {
  const line = lineOf(program, args);
  if (result.timedOut) return new DispatchError("timeout", `${line} did not end in time`, { hint: line });
  const known = host.refusals.find(({ what }) => what.test(textOf(result)));
  const message = `${line} ended with status ${result.code ?? result.signal}: ${spoken(result)}`;
  return new DispatchError(known?.code ?? "agent", message, { hint: known?.next ?? line });
}

function textOf({ stdout, stderr }: RunResult): string {
  return `${stderr}\n${stdout}`;
}

/** What the host says, from the line that says why, without marks, warnings and the backtrace that Codex adds. */
function spoken(result: RunResult): string {
  const text = textOf(result).split(/^Stack backtrace:/m)[0]!;
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^WARN/.test(line));
  const from = Math.max(lines.findLastIndex(isCause), 0);
  const said = lines
    .slice(from)
    .join("; ")
    .replace(/^.*?✘ /, "");
  return said.length > limits.plugin.refusalCharsMax
    ? `${said.slice(0, limits.plugin.refusalCharsMax)}…`
    : said;
}
