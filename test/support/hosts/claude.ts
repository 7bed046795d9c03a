/**
 * Claude Code as a host: the real one, offline, with a home of its own and a scripted model on loopback. It finds
 * `dispatch` on its PATH, as a user's does, and the daemon's home in its environment.
 */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { binary, type Json, type Rig } from "../dispatch.ts";
import {
  type ClaudeModel,
  type ClaudeStep,
  outputsOf,
  startClaudeModel,
  type ToolOutput,
} from "./claude-model.ts";
import { type Done, execute } from "./execute.ts";
import { claudeExecutable } from "./installed.ts";

export interface ClaudeSession {
  /** The result of each call of a tool, in the order of the calls. */
  outputs: ToolOutput[];
  /** The last message. */
  answer: string;
  /** The first row of the session: `tools`, `mcp_servers`, `skills`, `plugins`, ... */
  init: Json;
  /** Calls that a person would have been asked for: `tool_name`, `tool_input`. */
  denials: Json[];
  /** All rows of `--output-format stream-json`. */
  rows: Json[];
}

export interface ClaudeHost {
  model: ClaudeModel;
  executable: string;
  /** CLAUDE_CONFIG_DIR. */
  config: string;
  env: Record<string, string>;
  /** `claude ARGS`. */
  run(args: readonly string[], more?: { env?: Record<string, string | undefined> }): Promise<Done>;
  /** One session without a terminal. `before` is put in front of the script: the name of a skill, as `/dispatch:dispatch`. */
  session(
    steps: readonly ClaudeStep[],
    more?: { before?: string; args?: readonly string[] },
  ): Promise<ClaudeSession>;
  dispose(): Promise<void>;
}

/** A rule that lets all tools of the plugin's server run: without one, Claude Code asks also for those that read. */
export const allowPlugin = ["--allowedTools", "mcp__plugin_dispatch_dispatch"];

export async function claudeHost(rig: Rig): Promise<ClaudeHost> {
  const executable = await claudeExecutable();
  const model = startClaudeModel();
  const home = join(dirname(rig.codex.home), "claude");
  const config = join(home, ".claude");
  mkdirSync(config, { recursive: true });
  const env = {
    ...rig.env,
    PATH: [dirname(binary), dirname(executable), rig.env["PATH"]].join(":"),
    HOME: home,
    CLAUDE_CONFIG_DIR: config,
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: "sk-ant-of-this-test",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1",
  };
  const run: ClaudeHost["run"] = (args, more = {}) =>
    execute([executable, ...args], { cwd: rig.codex.cwd, env: { ...env, ...more.env } });

  return {
    model,
    executable,
    config,
    env,
    run,
    async session(steps, { before, args = [] } = {}) {
      const text = [...(before === undefined ? [] : [before]), JSON.stringify(steps)].join(" ");
      const first = model.requests.length;
      const { code, stdout, stderr } = await run([
        "-p",
        text,
        "--output-format",
        "stream-json",
        "--verbose",
        ...args,
      ]);
      const rows = stdout
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Json);
      const end = rows.findLast(({ type }) => type === "result");
      if (code !== 0 || end === undefined) throw new Error(`claude ended with ${code}: ${stderr}${stdout}`);
      const last = model.requests.slice(first).findLast((body) => outputsOf(body).length > 0);
      return {
        outputs: last ? outputsOf(last) : [],
        answer: String(end["result"]),
        init: rows.find(({ subtype }) => subtype === "init") ?? {},
        denials: end["permission_denials"] as Json[],
        rows,
      };
    },
    dispose: () => model.stop(),
  };
}
