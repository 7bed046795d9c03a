/**
 * The conformance suite of the protocol, over a bridge from HTTP to the stdio of `dispatch mcp`, and the inspector's check
 * that tool schemas work in every host.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { binary, dispatchRig, type Rig } from "../../support/dispatch.ts";
import { type Bridge, stdioBridge } from "../../support/hosts/bridge.ts";
import { execute } from "../../support/hosts/execute.ts";
import { installedPath, installMs, nodeExecutable } from "../../support/hosts/installed.ts";

setDefaultTimeout(120_000);

/** Scenarios that need tools, prompts or resources of the suite's own, or a capability that dispatch does not declare. */
const notOurs: Record<string, string> = {
  "logging-set-level": "logging is not declared: what happens is in the event log",
  "completion-complete": "completions are not declared: they are for prompts and resource templates of forms",
  "tools-call-simple-text": "a tool of the suite",
  "tools-call-image": "a tool of the suite",
  "tools-call-audio": "a tool of the suite",
  "tools-call-embedded-resource": "a tool of the suite",
  "tools-call-mixed-content": "a tool of the suite",
  "tools-call-with-logging": "a tool of the suite",
  "tools-call-error": "a tool of the suite",
  "tools-call-with-progress": "a tool of the suite",
  "tools-call-sampling": "a tool of the suite",
  "tools-call-elicitation": "a tool of the suite",
  "json-schema-2020-12": "a tool of the suite",
  "elicitation-sep1034-defaults": "a tool of the suite",
  "elicitation-sep1330-enums": "a tool of the suite",
  "resources-read-text": "a resource of the suite",
  "resources-read-binary": "a resource of the suite",
  "resources-templates-read": "a resource of the suite",
  "resources-subscribe": "subscriptions are not declared: no host that was tried uses them",
  "resources-unsubscribe": "subscriptions are not declared",
  "prompts-list": "prompts are not declared",
  "prompts-get-simple": "prompts are not declared",
  "prompts-get-with-args": "prompts are not declared",
  "prompts-get-embedded-resource": "prompts are not declared",
  "prompts-get-with-image": "prompts are not declared",
  "server-sse-polling": "about HTTP, which is the bridge's",
  "server-sse-multiple-streams": "about HTTP, which is the bridge's",
  "dns-rebinding-protection": "about HTTP, which is the bridge's",
};

let rig: Rig;
let bridge: Bridge;
let node: string;

beforeAll(async () => {
  rig = dispatchRig();
  node = await nodeExecutable();
  bridge = stdioBridge([binary, "mcp"], { env: rig.env, cwd: rig.codex.cwd });
}, installMs);

afterAll(async () => {
  await bridge?.stop();
  await rig?.dispose();
});

async function suite(...args: string[]) {
  const program = await installedPath("@modelcontextprotocol/conformance/dist/index.js");
  return execute([node, program, ...args], { cwd: rig.codex.cwd, env: rig.env });
}

test("every scenario of the suite is run or has its reason", async () => {
  const { stdout } = await suite("list", "--server");
  const scenarios = [...stdout.matchAll(/^ {2}- ([\w-]+) /gm)].map(([, name]) => name!);
  expect(scenarios.length).toBeGreaterThan(25);
  const ours = scenarios.filter((name) => !Object.hasOwn(notOurs, name));
  expect(ours.toSorted()).toEqual(["ping", "resources-list", "server-initialize", "tools-list"]);
  for (const scenario of ours) {
    const { code, stdout, stderr } = await suite("server", "--url", bridge.url, "--scenario", scenario);
    expect([scenario, code, stdout + stderr]).toEqual([scenario, 0, expect.stringContaining("0 failed")]);
  }
});

test.each([["grouped"], ["--flat"], ["--codex-compat"]])(
  "the inspector finds no fault in the tools: %s",
  async (flag) => {
    const inspector = await installedPath("@modelcontextprotocol/inspector/clients/launcher/build/index.js");
    const server = [binary, "mcp", ...(flag.startsWith("--") ? [flag] : [])];
    const home = ["-e", `DISPATCH_HOME=${rig.home}`];
    const argv = [node, inspector, "--cli", "--strict", "--method", "tools/list", ...home, "--", ...server];
    const { code, stdout, stderr } = await execute(argv, { cwd: rig.codex.cwd, env: rig.env });
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout).tools.length).toBeGreaterThan(10);
  },
);
