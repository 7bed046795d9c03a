/** The MCP server over the sample ops and a fake daemon, with the SDK's own client as the host. */
import { afterEach } from "bun:test";
import { join } from "node:path";
import { Client, type ClientOptions } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { agreeable, type Behaviour, type FakeDaemon, fakeDaemon } from "./daemon.ts";
import { newHome, socketIn } from "./run.ts";

export const main = join(import.meta.dir, "main.ts");
export const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

export interface Rig {
  client: Client;
  daemon: FakeDaemon;
  transport: StdioClientTransport;
}

export async function rig(
  behave: Behaviour = agreeable,
  args: readonly string[] = [],
  name = "test",
  options: ClientOptions = {},
): Promise<Rig> {
  const home = newHome();
  const daemon = fakeDaemon(socketIn(home), behave);
  const env = {
    HOME: home,
    PATH: process.env["PATH"] ?? "",
    DISPATCH_HOME: home,
    CODEX_THREAD_ID: "not-the-caller",
  };
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [main, "mcp", ...args],
    env,
    cwd: home,
  });
  const client = new Client({ name, version: "1" }, options);
  await client.connect(transport);
  closing.push(
    () => daemon.stop(),
    () => client.close(),
  );
  return { client, daemon, transport };
}

export const textOf = (result: object) => (result as { content: { text: string }[] }).content[0]!.text;
