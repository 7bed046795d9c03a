/**
 * opencode and Gemini CLI as hosts: the real ones, offline, each with a home of its own, the entry that README shows, and a
 * scripted model on loopback.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { binary, type Rig } from "../dispatch.ts";
import {
  type ClaudeRequest,
  type ClaudeStep,
  startClaudeModel,
  outputsOf as toolOutputsOf,
} from "./claude-model.ts";
import { type Done, execute } from "./execute.ts";
import { type GeminiRequest, outputsOf, startGeminiModel } from "./gemini-model.ts";
import { installedPath, nodeExecutable } from "./installed.ts";
import type { Entry } from "./readme.ts";

export interface OtherSession {
  /** The result of each call of a tool as the model reads it, in the order of the calls. */
  outputs: string[];
  /** Of the first request that has tools. */
  tools: { name: string; description: string }[];
  /** All that the model was given at first, as JSON. */
  first: string;
}

export interface OtherHost {
  /** What the host calls an operation of dispatch. */
  toolNamed(group: string): string;
  session(steps: readonly Step[]): Promise<OtherSession>;
  dispose(): Promise<void>;
}

export type Step = { say: string } | { tool: string; arguments: Record<string, unknown> };

export async function opencodeHost(rig: Rig, entry: Entry): Promise<OtherHost> {
  const executable = await installedPath(`opencode-${process.platform}-${process.arch}/bin/opencode`);
  const model = startClaudeModel();
  const home = join(dirname(rig.codex.home), "opencode");
  // Its own files are of this home, wherever the variables of this machine point.
  const folders = { CONFIG: ".config", DATA: ".local/share", CACHE: ".cache", STATE: ".local/state" };
  const places = Object.entries(folders).map(([name, path]) => [`XDG_${name}_HOME`, join(home, path)]);
  const options = { baseURL: `${model.url}/v1`, apiKey: "of-this-test" };
  const limit = { context: 200_000, output: 8_000 };
  const config = {
    ...entry,
    model: "anthropic/mock",
    small_model: "anthropic/mock",
    provider: { anthropic: { options, models: { mock: { name: "mock", limit } } } },
    snapshot: false,
    autoupdate: false,
    share: "disabled",
  };
  mkdirSync(join(home, ".config/opencode"), { recursive: true });
  repositoryIn(rig.codex.cwd);
  await Bun.write(join(home, ".config/opencode/opencode.json"), JSON.stringify(config));
  const env = {
    ...envOf(rig, home),
    ...(Object.fromEntries(places) as Record<string, string>),
    OPENCODE_DISABLE_MODELS_FETCH: "1",
    OPENCODE_DISABLE_DEFAULT_PLUGINS: "1",
    OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
  };
  return {
    toolNamed: (group) => `dispatch_dispatch_${group}`,
    async session(steps) {
      const from = model.requests.length;
      // It puts what has a blank into quotes, and then the text is no script any more.
      const text = JSON.stringify(steps satisfies readonly ClaudeStep[]).replaceAll(" ", "\\u0020");
      const done = await execute([executable, "run", text], { cwd: rig.codex.cwd, env });
      const requests: ClaudeRequest[] = expectSome(model.requests.slice(from), done);
      // It also asks for a title, without tools.
      const first = requests.find(({ tools }) => tools !== undefined && tools.length > 0);
      return {
        outputs: toolOutputsOf(requests.findLast((one) => toolOutputsOf(one).length > 0)!).map(
          ({ text }) => text,
        ),
        tools: (first?.tools ?? []).map(({ name, description = "" }) => ({ name, description })),
        first: JSON.stringify(first),
      };
    },
    dispose: () => model.stop(),
  };
}

export async function geminiHost(rig: Rig, entry: Entry): Promise<OtherHost> {
  const node = await nodeExecutable();
  const program = await installedPath("@google/gemini-cli/bundle/gemini.js");
  const model = startGeminiModel();
  const home = join(dirname(rig.codex.home), "gemini");
  const config = {
    ...entry,
    security: { auth: { selectedType: "gemini-api-key" } },
    general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
    privacy: { usageStatisticsEnabled: false },
  };
  mkdirSync(join(home, ".gemini"), { recursive: true });
  await Bun.write(join(home, ".gemini/settings.json"), JSON.stringify(config));
  const env = {
    ...envOf(rig, home),
    GEMINI_API_KEY: "of-this-test",
    GOOGLE_GEMINI_BASE_URL: model.url,
    GEMINI_CLI_TRUST_WORKSPACE: "true",
  };
  return {
    toolNamed: (group) => `mcp_dispatch_dispatch_${group}`,
    async session(steps) {
      const from = model.requests.length;
      const argv = [node, program, "-m", "gemini-2.5-pro", "-p", JSON.stringify(steps)];
      const done = await execute(argv, { cwd: rig.codex.cwd, env });
      const requests: GeminiRequest[] = expectSome(model.requests.slice(from), done);
      const functions = (requests[0]!.tools ?? []).flatMap(
        ({ functionDeclarations = [] }) => functionDeclarations,
      );
      return {
        outputs: outputsOf(requests.at(-1)!),
        tools: functions.map(({ name, description = "" }) => ({ name, description })),
        first: JSON.stringify(requests[0]),
      };
    },
    dispose: () => model.stop(),
  };
}

function envOf(rig: Rig, home: string): Record<string, string> {
  return { ...rig.env, HOME: home, PATH: `${dirname(binary)}:${rig.env["PATH"]}`, TERM: "xterm-256color" };
}

/** An empty one: otherwise opencode works on that of this checkout, with all its files and worktrees. */
function repositoryIn(folder: string): void {
  for (const part of ["objects", "refs"]) mkdirSync(join(folder, ".git", part), { recursive: true });
  writeFileSync(join(folder, ".git/HEAD"), "ref: refs/heads/main\n");
}

function expectSome<T>(requests: T[], { code, stdout, stderr }: Done): T[] {
  if (code === 0 && requests.length > 0) return requests;
  throw new Error(`the host ended with ${code} after ${requests.length} requests: ${stderr}${stdout}`);
}
