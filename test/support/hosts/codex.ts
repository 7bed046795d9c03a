/**
 * Codex as a host: `codex exec` in the Codex home of a rig, with a scripted model of its own, so that the requests of the
 * host's thread are not mixed with those of the threads that dispatch runs. Use a rig with `hasPlugins`.
 */
import { dirname } from "node:path";
import { codexExecutable } from "../codex.ts";
import { binary, type Rig } from "../dispatch.ts";
import { type ModelBody, type Provider, startProvider } from "../provider.ts";
import { outputsIn, type Step, stringify } from "../provider-script.ts";
import { type Done, execute } from "./execute.ts";

export interface CodexSession {
  /** The output of each call of a tool, in the order of the calls. */
  outputs: string[];
  /** What `codex exec` printed: the last message. */
  answer: string;
  /** The first request to the model: `tools`, `input`, `instructions`. */
  first: ModelBody;
}

export interface CodexHost {
  model: Provider;
  env: Record<string, string>;
  /** `codex ARGS`. */
  run(args: readonly string[]): Promise<Done>;
  /**
   * One `codex exec`. A model that Codex does not know gets all tools at once, in namespaces; `gpt-6.1-sol` gets code mode
   * (`{"custom": "exec"}`). `before` is put in front of the script: the name of a skill, as `$dispatch:dispatch`.
   */
  session(
    steps: readonly Step[],
    more?: { model?: string; before?: string; args?: readonly string[] },
  ): Promise<CodexSession>;
  dispose(): Promise<void>;
}

export function codexHost(rig: Rig): CodexHost {
  const model = startProvider();
  const env = { ...rig.env, PATH: `${dirname(binary)}:${rig.env["PATH"]}` };
  const run: CodexHost["run"] = (args) => execute([codexExecutable(), ...args], { cwd: rig.codex.cwd, env });
  return {
    model,
    env,
    run,
    async session(steps, { model: name = "mock-model", before, args = [] } = {}) {
      const text = [...(before === undefined ? [] : [before]), stringify([...steps])].join(" ");
      const from = model.requests.length;
      const provider = ["-c", `model_providers.mock.base_url=${JSON.stringify(model.url)}`];
      const flags = ["--skip-git-repo-check", "-m", name, ...provider, ...args];
      const { code, stdout, stderr } = await run(["exec", ...flags, text]);
      const requests = model.requests.slice(from);
      if (code !== 0 || requests.length === 0)
        throw new Error(`codex exec ended with ${code}: ${stderr}${stdout}`);
      return {
        outputs: outputsIn(requests.at(-1)!.body),
        answer: stdout.trim(),
        first: requests[0]!.body,
      };
    },
    dispose: () => model.stop(),
  };
}
