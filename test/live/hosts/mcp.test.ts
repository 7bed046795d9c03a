/** `dispatch mcp` in real hosts, as their own configuration adds it: the calls of a scripted model reach the daemon. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { dispatchRig, type Rig } from "../../support/dispatch.ts";
import { type ClaudeHost, claudeHost } from "../../support/hosts/claude.ts";
import { type CodexHost, codexHost } from "../../support/hosts/codex.ts";
import { installMs } from "../../support/hosts/installed.ts";

setDefaultTimeout(120_000);

let rig: Rig;
let claude: ClaudeHost;
let codex: CodexHost;

beforeAll(async () => {
  rig = dispatchRig();
  codex = codexHost(rig);
  claude = await claudeHost(rig);
  await rig.thread("docs");
}, installMs);

afterAll(async () => {
  await claude?.dispose();
  await codex?.dispose();
  await rig?.dispose();
});

test("Claude Code adds it by its own command and calls its tools", async () => {
  expect(await claude.run(["mcp", "add", "dispatch", "--", "dispatch", "mcp"])).toMatchObject({ code: 0 });
  const { outputs, answer, init } = await claude.session(
    [
      { tool: "mcp__dispatch__dispatch_thread_read", arguments: { op: "list" } },
      // What a call returned can be an argument of the next.
      {
        tool: "mcp__dispatch__dispatch_thread_read",
        arguments: { op: "get", thread: { $match: '"ref":"(\\w+)"' } },
      },
      { say: "over" },
    ],
    { args: ["--allowedTools", "mcp__dispatch"] },
  );
  expect(init["mcp_servers"]).toMatchObject([{ name: "dispatch", status: "connected" }]);
  expect(outputs).toMatchObject([
    { isError: false },
    { isError: false, text: expect.stringContaining("docs") },
  ]);
  expect(answer).toBe("over");
});

test("Codex adds it by its own command and calls its tools, directly and in code mode", async () => {
  const env = ["CODEX_HOME", "DISPATCH_HOME", "DISPATCH_CODEX"].map((name) => `${name}=${rig.env[name]}`);
  const flags = env.flatMap((pair) => ["--env", pair]);
  expect(await codex.run(["mcp", "add", "dispatch", ...flags, "--", "dispatch", "mcp"])).toMatchObject({
    code: 0,
  });
  const direct = await codex.session([
    { tool: "dispatch_thread_read", namespace: "mcp__dispatch", arguments: { op: "list" } },
    { say: "over" },
  ]);
  expect(direct).toMatchObject({ outputs: [expect.stringContaining("docs")], answer: "over" });
  const input = 'text(JSON.stringify(await tools.mcp__dispatch__dispatch_thread_read({ op: "list" })))';
  const code = await codex.session([{ custom: "exec", input }, { say: "over" }], { model: "gpt-6.1-sol" });
  expect(code).toMatchObject({ outputs: [expect.stringContaining("docs")], answer: "over" });
});
