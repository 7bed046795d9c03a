/** The entries that README shows for Codex and Claude Code are those that their own commands write, and they work. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dispatchRig, type Json, type Rig } from "../../support/dispatch.ts";
import { type ClaudeHost, claudeHost } from "../../support/hosts/claude.ts";
import { codexHost } from "../../support/hosts/codex.ts";
import { installMs } from "../../support/hosts/installed.ts";
import { jsonOf, ruleOf, tomlOf } from "../../support/hosts/readme.ts";

setDefaultTimeout(120_000);

let rig: Rig;
let claude: ClaudeHost;

beforeAll(async () => {
  rig = dispatchRig();
  claude = await claudeHost(rig);
}, installMs);

afterAll(async () => {
  await claude?.dispose();
  await rig?.dispose();
});

test("of Codex", async () => {
  const codex = codexHost(rig);
  const entry = tomlOf("Codex") as { mcp_servers: { dispatch: { env: Record<string, string> } } };
  const env = Object.entries(entry.mcp_servers.dispatch.env).flatMap(([name, value]) => [
    "--env",
    `${name}=${value}`,
  ]);
  const added = await codex.run(["mcp", "add", "dispatch", ...env, "--", "dispatch", "mcp"]);
  await codex.dispose();
  expect(added.code).toBe(0);
  const written = Bun.TOML.parse(await Bun.file(join(rig.codex.home, "config.toml")).text()) as Json;
  expect(written["mcp_servers"]).toEqual(entry.mcp_servers);
});

test("of Claude Code, with its rule", async () => {
  const added = await claude.run(["mcp", "add", "--scope", "project", "dispatch", "--", "dispatch", "mcp"]);
  expect(added.code).toBe(0);
  expect(await Bun.file(join(rig.codex.cwd, ".mcp.json")).json()).toEqual(jsonOf("Claude Code"));
  writeFileSync(join(claude.config, "settings.json"), ruleOf("Claude Code"));
  const { outputs, denials } = await claude.session([
    { tool: "mcp__dispatch__dispatch_new", arguments: { name: "worker", text: "hello" } },
    { say: "over" },
  ]);
  expect(denials).toEqual([]);
  expect(outputs[0]).toMatchObject({ isError: false, text: expect.stringContaining("worker") });
});
