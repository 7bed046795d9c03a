/** What an agent in a real host meets: the right tool for a plain question, whole results, errors in words, no questions. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import listing from "../../../src/surface/mcp/listing.json";
import { dispatchRig, type Json, type Rig } from "../../support/dispatch.ts";
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
  const env = ["CODEX_HOME", "DISPATCH_HOME", "DISPATCH_CODEX"].flatMap((name) => [
    "--env",
    `${name}=${rig.env[name]}`,
  ]);
  expect(await codex.run(["mcp", "add", "dispatch", ...env, "--", "dispatch", "mcp"])).toMatchObject({
    code: 0,
  });
  expect(await claude.run(["mcp", "add", "dispatch", "--", "dispatch", "mcp"])).toMatchObject({ code: 0 });
  await rig.thread("docs", "hello");
}, installMs);

afterAll(async () => {
  await claude?.dispose();
  await codex?.dispose();
  await rig?.dispose();
});

const inCodex = (name: string, args: Json) => ({
  tool: `dispatch_${name}`,
  namespace: "mcp__dispatch",
  arguments: args,
});
const inClaude = (name: string, args: Json) => ({ tool: `mcp__dispatch__dispatch_${name}`, arguments: args });
const allowed = ["--allowedTools", "mcp__dispatch"];

/** What an agent looks for, and the tool that does it. */
const questions: [query: string, tool: string][] = [
  ["create a worker agent", "dispatch_new"],
  ["run several agents in parallel", "dispatch_new"],
  ["wait for a worker to finish", "dispatch_wait"],
  ["get the result of an agent", "dispatch_wait"],
  ["steer a running turn", "dispatch_send"],
  ["queue a message for a thread", "dispatch_send"],
  ["approve a command of a worker", "dispatch_request_answer"],
  ["list agent threads", "dispatch_list"],
  ["archive a thread", "dispatch_archive"],
  ["stop a running agent", "dispatch_stop"],
];

describe("Codex", () => {
  test("runs writes unasked under never and workspace-write, and an agent can clean up", async () => {
    const { outputs } = await codex.session(
      [
        inCodex("new", { threads: [{ name: "one", text: "first" }, { name: "two" }], cwd: rig.codex.cwd }),
        inCodex("wait", { threads: ["@one"] }),
        inCodex("send", { thread: "@two", text: "second", wait: true }),
        inCodex("archive", { threads: ["@one", "@two"] }),
        { say: "over" },
      ],
      { args: ["-s", "workspace-write", "-c", 'approval_policy="never"'] },
    );
    expect(outputs[1]).toContain("ok: first");
    expect(outputs[2]).toContain("ok: second");
    const { threads } = await rig.ask(["list", "--archived"]);
    expect(threads.map(({ title }: Json) => title).toSorted()).toEqual(["one", "two"]);
  });

  test("shows every tool with its description, and the description of every argument", async () => {
    const { first } = await codex.session([{ say: "over" }]);
    const space = (first.tools as Json[]).find((tool) => tool["name"] === "mcp__dispatch");
    const tools = space!["tools"] as {
      name: string;
      description: string;
      parameters: { properties: Json };
    }[];
    const shown = Object.fromEntries(tools.map(({ name, description }) => [name, description]));
    expect(shown).toEqual(
      Object.fromEntries(listing.flat.map(({ name, description }) => [name, description])),
    );
    for (const { parameters, name } of tools) {
      for (const [field, schema] of Object.entries(parameters.properties))
        if (field !== "verbose")
          expect([name, field, schema]).toEqual([
            name,
            field,
            expect.objectContaining({ description: expect.any(String) }),
          ]);
    }
  });

  test("gives the model whole results and the code of an error", async () => {
    const long = "x".repeat(8_000);
    await rig.thread("long", long);
    const { outputs } = await codex.session([
      inCodex("get", { thread: "@long" }),
      inCodex("get", { thread: "@nobody" }),
      { say: "over" },
    ]);
    expect(outputs[0]).toContain(`ok: ${long}`);
    expect(outputs[1]).toContain('"code":"not_found"');
    expect(outputs[1]).toContain("dispatch_list");
  });

  test("ends a long wait in words", async () => {
    await rig.ask(["new", "--name", "slow", "--text", JSON.stringify([{ wait: "slow" }])]);
    const { outputs } = await codex.session([
      inCodex("wait", { threads: ["@slow"], timeout: 1 }),
      { say: "over" },
    ]);
    expect(outputs[0]).toContain('"verdict":"timeout"');
    expect(outputs[0]).toContain("call wait again");
    rig.provider.release("slow");
  });

  test("reads the resources", async () => {
    const { outputs } = await codex.session([
      { tool: "list_mcp_resources", arguments: { server: "dispatch" } },
      { tool: "read_mcp_resource", arguments: { server: "dispatch", uri: "dispatch://threads" } },
      { say: "over" },
    ]);
    expect(outputs[0]).toContain("dispatch://requests");
    expect(outputs[1]).toContain("docs");
  });

  test("runs the whole story in one call of code mode", async () => {
    const input = `
      const d = tools.mcp__dispatch__dispatch_new, w = tools.mcp__dispatch__dispatch_wait;
      const made = await d({ threads: [{ name: "c1", text: "one" }, { name: "c2", text: "two" }], cwd: ${JSON.stringify(rig.codex.cwd)} });
      const waited = await w({ threads: ["@c1", "@c2"] });
      await tools.mcp__dispatch__dispatch_archive({ threads: ["@c1", "@c2"] });
      text(JSON.stringify(waited));`;
    const { outputs } = await codex.session([{ custom: "exec", input }, { say: "over" }], {
      model: "gpt-6.1-sol",
    });
    expect(outputs).toHaveLength(1);
    for (const answer of ["ok: one", "ok: two"]) expect(outputs[0]).toContain(answer);
  });

  test("finds the right tool for plain questions", async () => {
    const steps = questions.map(([query]) => ({ search: query }));
    const { outputs } = await codex.session([...steps, { say: "over" }], { model: "gpt-5.5" });
    const missed = questions.filter(([, tool], at) => !outputs[at]!.includes(tool));
    expect(missed).toEqual([]);
  });
});

describe("Claude Code", () => {
  test("runs the tools under one rule, and gives the model whole results and the code of an error", async () => {
    const { outputs, denials } = await claude.session(
      [
        {
          tools: [inClaude("new", { name: "k1", text: "one" }), inClaude("new", { name: "k2", text: "two" })],
        },
        inClaude("wait", { threads: ["@k1", "@k2"] }),
        inClaude("get", { thread: "@nobody" }),
        inClaude("archive", { threads: ["@k1", "@k2"] }),
        { say: "over" },
      ],
      { args: allowed },
    );
    expect(denials).toEqual([]);
    expect(outputs[2]!.text).toContain("ok: two");
    expect(outputs[3]).toMatchObject({ isError: true });
    expect(outputs[3]!.text).toContain("not_found");
    expect(outputs[4]!.text).toContain("archived");
  });

  test("gives the model a long result whole, and ends a long wait in words", async () => {
    const long = "y".repeat(12_000);
    await rig.thread("longer", long);
    await rig.ask(["new", "--name", "slower", "--text", JSON.stringify([{ wait: "slower" }])]);
    const { outputs } = await claude.session(
      [
        inClaude("get", { thread: "@longer" }),
        inClaude("wait", { threads: ["@slower"], timeout: 1 }),
        { say: "over" },
      ],
      { args: allowed },
    );
    expect(outputs[0]!.text).toContain(`ok: ${long}`);
    expect(outputs[1]!.text).toContain('"verdict":"timeout"');
    expect(outputs[1]!.text).toContain("call wait again");
    rig.provider.release("slower");
  });

  test("reads the resources", async () => {
    const { outputs } = await claude.session(
      [
        { tool: "ListMcpResourcesTool", arguments: { server: "dispatch" } },
        { tool: "ReadMcpResourceTool", arguments: { server: "dispatch", uri: "dispatch://threads" } },
        { say: "over" },
      ],
      { args: allowed },
    );
    expect(outputs[0]!.text).toContain("dispatch://requests");
    expect(outputs[1]!.text).toContain("docs");
  });

  test("shows each tool that its search found with its whole description and its fields", async () => {
    const names = listing.flat.map(({ name }) => `mcp__dispatch__${name}`);
    await claude.session(
      [
        { tool: "ToolSearch", arguments: { query: `select:${names.join(",")}`, max_results: 100 } },
        { say: "over" },
      ],
      { args: allowed },
    );
    const shown = new Map((claude.model.requests.at(-1)!.tools ?? []).map((tool) => [tool.name, tool]));
    for (const { name, description, inputSchema } of listing.flat) {
      const tool = shown.get(`mcp__dispatch__${name}`);
      expect([name, tool?.description]).toEqual([name, description]);
      expect(tool?.input_schema).toMatchObject({ properties: inputSchema.properties });
    }
  });

  test("finds the right tool for plain questions", async () => {
    const steps = questions.map(([query]) => ({ tool: "ToolSearch", arguments: { query, max_results: 5 } }));
    const { outputs } = await claude.session([...steps, { say: "over" }], { args: allowed });
    const missed = questions.filter(([, tool], at) => !outputs[at]!.text.includes(tool));
    expect(missed).toEqual([]);
  });
});
