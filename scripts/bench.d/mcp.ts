/** What `dispatch mcp` costs an agent: tokens, calls and time. The story is that of an agent which runs five others. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { LATEST_PROTOCOL_VERSION as protocolVersion } from "@modelcontextprotocol/sdk/types.js";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { limits } from "../../src/base/limits.ts";
import { codexExecutable, codexHome } from "../../test/support/codex.ts";
import { startProvider } from "../../test/support/provider.ts";
import { stringify } from "../../test/support/provider-script.ts";
import { programOf } from "./build.ts";
import { inTurns, ratio, sides } from "./measure.ts";
import { atMost, type Bench, type Row } from "./row.ts";

const starts = 31;

/** A server of the SDK with one tool that does nothing. */
const emptyServer = `
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
const server = new Server({ name: "empty", version: "1" }, { capabilities: { tools: {} } });
server.setRequestHandler(ListToolsRequestSchema, () => ({
  tools: [{ name: "nothing", description: "Nothing.", inputSchema: { type: "object", properties: {} } }],
}));
await server.connect(new StdioServerTransport());
`;

export const mcp: Row = {
  async measure(bench) {
    const env = await homeOf(bench);
    // Inside the checkout, where its imports are found.
    const source = join(bench.folder, "empty-mcp.ts");
    writeFileSync(source, emptyServer);
    const empty = await programOf(bench.folder, "empty-mcp", source);
    const flat = [bench.dispatch, "mcp", "--flat"];
    const taken = await inTurns(
      starts,
      () => listedMs([empty], env),
      () => listedMs(flat, env),
    );
    const checked = await inTurns(
      starts,
      () => checkedMs([empty], env),
      () => checkedMs(flat, env),
    );
    const { tools } = await withClient([bench.dispatch, "mcp"], env, (client) => client.listTools());
    const story = await storyOf(bench.dispatch, env);
    const down = Bun.spawnSync([bench.dispatch, "down", "--force"], { env });
    if (!down.success) throw new Error(`dispatch down: ${down.stderr}`);
    return {
      lines: [
        atMost("mcp: start to the first tools/list / an empty server", ratio(taken), 1.1, "x"),
        atMost("mcp: tools/list, grouped", tokensOf(tools), 5000, "tokens", 0),
        atMost("mcp: calls of the story", story.calls, 8, "calls", 0),
        atMost("mcp: what the calls of the story return", story.tokens, 1500, "tokens", 0),
      ],
      notes: [
        sides(taken, ["empty server of the SDK", "dispatch mcp --flat"]),
        `with a client of the SDK, which checks the schemas of all tools: ${ratio(checked).toFixed(2)} x`,
        "the story: create five workers, wait for the first, steer another, answer an approval, collect the rest, archive all",
        `tokens by o200k: ${story.each.join(", ")}`,
      ],
    };
  },
};

async function homeOf(bench: Bench): Promise<Record<string, string>> {
  const provider = startProvider({ requestsKept: 1 });
  bench.owns(() => provider.stop());
  const codex = codexHome(provider.url);
  bench.owns(() => codex.cleanup());
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: codex.cwd,
    CODEX_HOME: codex.home,
    DISPATCH_HOME: join(bench.folder, "mcp-home"),
    DISPATCH_CODEX: codexExecutable(),
  };
}

async function withClient<T>(
  [command, ...args]: string[],
  env: Record<string, string>,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({ name: "bench", version: "1" });
  await client.connect(new StdioClientTransport({ command: command!, args, env, cwd: env["HOME"]! }));
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** Until the line with the tools is here. What a client does with it is not the server's time. */
async function listedMs(command: string[], env: Record<string, string>): Promise<number> {
  const from = performance.now();
  const child = Bun.spawn(command, {
    env,
    cwd: env["HOME"]!,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const output = child.stdout.getReader();
  const send = (message: object) => {
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
    child.stdin.flush();
  };
  // One message is one line, and the next one comes only when it was asked for.
  const answered = async () => {
    for (;;) {
      const { value, done } = await output.read();
      if (done) throw new Error(`${command.join(" ")} ended before it answered`);
      if (value.at(-1) === 10) return;
    }
  };
  const clientInfo = { name: "bench", version: "1" };
  send({ id: 0, method: "initialize", params: { protocolVersion, capabilities: {}, clientInfo } });
  await answered();
  send({ method: "notifications/initialized" });
  send({ id: 1, method: "tools/list", params: {} });
  await answered();
  const took = performance.now() - from;
  child.stdin.end();
  await child.exited;
  return took;
}

/** The same until a client of the SDK has taken the tools. */
async function checkedMs(command: string[], env: Record<string, string>): Promise<number> {
  const from = performance.now();
  return withClient(command, env, async (client) => {
    await client.listTools();
    return performance.now() - from;
  });
}

const tokensOf = (value: unknown) => encode(JSON.stringify(value)).length;

interface Story {
  calls: number;
  tokens: number;
  each: string[];
}

async function storyOf(dispatch: string, env: Record<string, string>): Promise<Story> {
  return withClient([dispatch, "mcp", "--flat"], env, async (client) => {
    const story: Story = { calls: 0, tokens: 0, each: [] };
    // biome-ignore lint/suspicious/noExplicitAny: the story reads what it was answered
    const call = async (name: string, args: object): Promise<any> => {
      const result = await client.callTool({ name: `dispatch_${name}`, arguments: { ...args } });
      if (result.isError) throw new Error(`${name}: ${JSON.stringify(result.content)}`);
      const tokens = encode((result.content as { text: string }[])[0]!.text).length;
      story.calls += 1;
      story.tokens += tokens;
      story.each.push(`${name} ${tokens}`);
      return result.structuredContent;
    };
    const slow = stringify([{ sleep: 1500 }, { say: "The socket layer is fixed." }]);
    const asks = stringify([{ shell: "touch built" }, { say: "The build passes." }]);
    const threads = [
      { name: "parser", text: "The parser is fixed." },
      { name: "build", text: asks, approval_policy: "untrusted" },
      { name: "socket", text: slow },
      { name: "docs", text: slow },
      { name: "tests", text: slow },
    ];
    const { results } = await call("new", { threads, cwd: env["HOME"] });
    const refs: string[] = results.map(({ ref }: { ref: string }) => ref);
    await call("wait", { threads: [refs[0]] });
    await call("send", { thread: refs[2], text: "Mind the time limit too.", steer: true });
    const asked = await call("wait", { threads: [refs[1]] });
    const request = asked.threads[0].asks[0];
    await call("request_answer", { id: request.id, approve: true });
    const all = await call("wait", { threads: refs, timeout: limits.mcp.waitMs / 1000 });
    if (all.verdict !== "ok") throw new Error(`the story ended with ${JSON.stringify(all)}`);
    await call("archive", { threads: refs });
    return story;
  });
}
