/** `wait {ask_person: true}` in real hosts: the question reaches whoever the host can ask, and nobody else answers it. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binary, dispatchRig, type Rig } from "../../support/dispatch.ts";
import { type ClaudeHost, claudeHost } from "../../support/hosts/claude.ts";
import { installMs } from "../../support/hosts/installed.ts";
import { stringify } from "../../support/provider-script.ts";

setDefaultTimeout(120_000);

let rig: Rig;
let claude: ClaudeHost;

beforeAll(async () => {
  rig = dispatchRig();
  const env = Object.entries(rig.env).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  const server = [`command = ${JSON.stringify(binary)}`, 'args = ["mcp"]', `env = { ${env.join(", ")} }`];
  appendFileSync(join(rig.codex.home, "config.toml"), `[mcp_servers.dispatch]\n${server.join("\n")}\n`);
  await rig.ask(["up"]);
  const rule = '[[policy.rules]]\nkind = "mcp_tool_approval"\ncommand = "dispatch"\nanswer = "approve"\n';
  writeFileSync(join(rig.home, "config.toml"), rule);
  claude = await claudeHost(rig);
}, installMs);

afterAll(async () => {
  await claude?.dispose();
  await rig?.dispose();
});

const asking = stringify([{ shell: "touch asked", escalate: "to write" }, { say: "done" }]);

test("of a thread of Codex it becomes a question of that thread, and the answer is the worker's", async () => {
  const call = (name: string, args: object) => ({
    tool: `dispatch_${name}`,
    namespace: "mcp__dispatch",
    arguments: args as Record<string, unknown>,
  });
  const worker = {
    name: "worker",
    text: asking,
    cwd: rig.codex.cwd,
    sandbox: "workspace-write",
    approval_policy: "on-request",
  };
  const script = stringify([
    call("new", worker),
    call("wait", { threads: ["@worker"], ask_person: true }),
    { say: "so" },
  ]);
  await rig.ask([
    "new",
    "--name",
    "boss",
    "--sandbox",
    "danger-full-access",
    "--approval-policy",
    "on-request",
    "--text",
    script,
  ]);
  await rig.ask(["wait", "@boss", "--for", "waiting", "--timeout", "30"]);
  const [question] = (await rig.ask(["request", "list", "--thread", "@boss"])).requests;
  expect(question).toMatchObject({
    kind: "elicitation",
    form: { message: expect.stringContaining("touch asked") },
  });
  await rig.ask(["request", "answer", question.id, "--answer", '{"decision": "approve"}']);
  await rig.ask(["wait", "@boss", "--timeout", "60"]);
  const [answered] = (await rig.ask(["request", "list", "--thread", "@worker", "--all"])).requests;
  const { id } = await rig.ask(["get", "@boss"]);
  // The server that asked was started by Codex, so the daemon holds the answer to the rights of that thread.
  expect(answered).toMatchObject({ state: "answered", decision: "approve", answered_by: id });
});

test("of Claude Code without a terminal nobody answers, and the question stays open", async () => {
  await claude.run(["mcp", "add", "dispatch", "--", "dispatch", "mcp"]);
  await rig.ask(["new", "--name", "other", "--approval-policy", "untrusted", "--text", asking]);
  const { outputs } = await claude.session(
    [
      { tool: "mcp__dispatch__dispatch_wait", arguments: { threads: ["@other"], ask_person: true } },
      { say: "over" },
    ],
    { args: ["--allowedTools", "mcp__dispatch"] },
  );
  expect(outputs[0]!.text).toContain('"verdict":"needs_answer"');
  expect((await rig.ask(["get", "@other"])).status).toBe("waiting");
});
