/**
 * The skill runs the story: a scripted model makes just the calls that the skill shows, in its order, in Claude Code, in
 * Codex, and in Codex's code mode. They reach dispatch through the server of the installed plugin.
 */
import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dispatchRig, type Json, type Rig } from "../../support/dispatch.ts";
import { allowPlugin, type ClaudeHost, claudeHost } from "../../support/hosts/claude.ts";
import { type CodexHost, codexHost } from "../../support/hosts/codex.ts";
import { installMs } from "../../support/hosts/installed.ts";
import { stringify } from "../../support/provider-script.ts";
import { type Call, callsIn, skillText } from "../../support/skill-calls.ts";

setDefaultTimeout(120_000);

let rig: Rig;
let claude: ClaudeHost;
let codex: CodexHost;

beforeAll(async () => {
  rig = dispatchRig({ hasPlugins: true });
  codex = codexHost(rig);
  claude = await claudeHost(rig);
  mkdirSync(rig.home, { mode: 0o700 });
  // Workers that ask before they write outside their folder.
  const defaults = '[defaults]\nsandbox = "workspace-write"\napproval_policy = "on-request"\n';
  writeFileSync(join(rig.home, "config.toml"), defaults);
  await rig.ask(["plugin", "install"], { env: claude.env });
}, installMs);

afterAll(async () => {
  await claude?.dispose();
  await codex?.dispose();
  await rig?.dispose();
});

const built = () => join(rig.codex.cwd, "..", "built");
afterEach(() => rmSync(built(), { force: true }));

/** What stands for the texts of the skill: its workers are models on a script too. */
const texts: Readonly<Record<string, string>> = {
  "Fix ...": stringify([{ say: "the parser is fixed" }]),
  "Run ...": stringify([{ wait: "never" }, { say: "cut" }]),
  "Skip the docs.": stringify([{ shell: "touch ../built", escalate: "to build" }, { say: "it is built" }]),
};

/** The calls of the skill, with the ids that the calls before them gave. */
function played(name: string): Call[] {
  return JSON.parse(JSON.stringify(callsIn(skillText(name))), (key, value) =>
    key === "id" ? { $match: '"asks":\\[\\{"id":"(\\w+)"' } : (texts[value as string] ?? value),
  );
}

/** The setting of Codex that the plugin's page shows. */
function settingOnPage(): string {
  const page = readFileSync(join(import.meta.dir, "../../../plugins/dispatch/README.md"), "utf8");
  return /^```toml\n([\s\S]*?)^```$/m.exec(page)![1]!;
}

/** What each host's session must have done, whatever the shape of its outputs. */
async function expectStoryOf(outputs: readonly string[], calls: readonly Call[]): Promise<void> {
  expect(outputs).toHaveLength(calls.length);
  const waits = outputs.filter((_, at) => calls[at]!.op === "wait");
  const verdicts = waits.map((text) => /"verdict":"(\w+)"/.exec(text)?.[1]);
  expect(verdicts).toEqual(["ok", "needs_answer", "ok"]);
  expect(waits[0]).toContain("the parser is fixed");
  expect(waits[1]).toContain("touch ../built");
  expect(waits[2]).toContain("it is built");
  expect(existsSync(built())).toBe(true);
  const archived = (await rig.ask(["list", "--archived"])).threads as Json[];
  expect(archived.map(({ title }) => title).toSorted()).toEqual(["build", "parser"]);
  expect((await rig.ask(["request", "list", "--all", "--limit", "1"])).requests).toMatchObject([
    { state: "answered", decision: "approve" },
  ]);
  for (const { ref } of archived) await rig.ask(["forget", String(ref), "--yes"]);
}

test("in Claude Code, after /dispatch:dispatch", async () => {
  const calls = played("dispatch");
  const steps = calls.map(({ op, args }) => ({
    tool: `mcp__plugin_dispatch_dispatch__dispatch_${op}`,
    arguments: args,
  }));
  const { outputs, answer, denials } = await claude.session([...steps, { say: "all done" }], {
    before: "/dispatch:dispatch",
    args: allowPlugin,
  });
  expect(JSON.stringify(claude.model.requests.at(-1)!.messages)).toContain("# Operate dispatch");
  expect(outputs.filter(({ isError }) => isError)).toEqual([]);
  expect({ answer, denials }).toEqual({ answer: "all done", denials: [] });
  await expectStoryOf(
    outputs.map(({ text }) => text),
    calls,
  );
});

test("in Codex, after $dispatch:dispatch", async () => {
  const calls = played("dispatch");
  const steps = calls.map(({ op, args }) => ({
    tool: `dispatch_${op}`,
    namespace: "mcp__dispatch",
    arguments: args,
  }));
  const { outputs, answer, first } = await codex.session([...steps, { say: "all done" }], {
    before: "$dispatch:dispatch",
  });
  expect(JSON.stringify(first.input)).toContain("# Operate dispatch");
  expect(answer).toBe("all done");
  await expectStoryOf(outputs, calls);
});

test("in Codex's code mode, in one program", async () => {
  const calls = played("dispatch");
  const input = `
    const said = [];
    const filled = (value) => typeof value !== "object" || value === null ? value
      : Array.isArray(value) ? value.map(filled)
      : value.$match ? [...said.join("\\n").matchAll(new RegExp(value.$match, "g"))].at(-1)[1]
      : Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one)]));
    for (const { op, args } of ${JSON.stringify(calls)}) {
      const result = await tools["mcp__dispatch__dispatch_" + op](filled(args));
      said.push(JSON.stringify(result.structuredContent ?? result));
    }
    text(said.join("\\n"));`;
  const { outputs, answer } = await codex.session([{ custom: "exec", input }, { say: "all done" }], {
    model: "gpt-6.1-sol",
  });
  expect(answer).toBe("all done");
  const lines = outputs.join("\n").split("\n");
  await expectStoryOf(
    lines.filter((line) => line.startsWith("{")),
    calls,
  );
});

test("in Claude Code the skill lets the tools that read run, and no other", async () => {
  const tool = (op: string, args: Json) => ({
    tool: `mcp__plugin_dispatch_dispatch__dispatch_${op}`,
    arguments: args,
  });
  await rig.thread("docs", "hello");
  const { outputs, denials } = await claude.session(
    [
      tool("wait", { threads: ["@docs"], timeout: 20 }),
      tool("get", { thread: "@docs" }),
      tool("send", { thread: "@docs", text: "unasked" }),
      { say: "over" },
    ],
    { before: "/dispatch:dispatch" },
  );
  expect(outputs.map(({ isError }) => isError)).toEqual([false, false, true]);
  expect(denials.map(({ tool_name }) => tool_name)).toEqual(["mcp__plugin_dispatch_dispatch__dispatch_send"]);
});

test("in Claude Code the model may load the skill by itself", async () => {
  const { outputs } = await claude.session(
    [
      { tool: "Skill", arguments: { skill: "dispatch:dispatch" } },
      { tool: "mcp__plugin_dispatch_dispatch__dispatch_get", arguments: { thread: "@docs" } },
      { say: "over" },
    ],
    { args: ["--allowedTools", "Skill(dispatch:dispatch)"] },
  );
  expect(outputs.map(({ isError }) => isError)).toEqual([false, false]);
});

test("Codex refuses what cannot be undone, where nobody can be asked, unless the setting of the plugin's page is there", async () => {
  await rig.thread("gone");
  const forgetting = () =>
    codex.session(
      [
        { tool: "dispatch_forget", namespace: "mcp__dispatch", arguments: { thread: "@gone" } },
        { say: "over" },
      ],
      { args: ["-s", "workspace-write"] },
    );
  expect((await forgetting()).outputs[0]).toContain("requires approval");
  const file = join(rig.codex.home, "config.toml");
  const before = readFileSync(file, "utf8");
  writeFileSync(file, `${before}\n${settingOnPage()}`);
  const { outputs } = await forgetting();
  writeFileSync(file, before);
  // It reaches dispatch, whose own policy holds.
  expect(outputs[0]).toContain("what it did not create");
});

test("the skill dm asks a thread and has its answer, in both hosts", async () => {
  const calls = played("dm");
  const inClaude = await claude.session(
    calls.map(({ op, args }) => ({
      tool: `mcp__plugin_dispatch_dispatch__dispatch_${op}`,
      arguments: args,
    })),
    { before: "/dispatch:dm", args: allowPlugin },
  );
  expect(inClaude.outputs.at(-1)!.text).toContain("ok: Which port");
  const inCodex = await codex.session(
    calls.map(({ op, args }) => ({ tool: `dispatch_${op}`, namespace: "mcp__dispatch", arguments: args })),
    { before: "$dispatch:dm" },
  );
  expect(inCodex.outputs.at(-1)).toContain("ok: Which port");
});
