/** An MCP server that is up so many ms after it was asked, and that keeps a list of its processes. */
import { appendFileSync } from "node:fs";

const [ms, pids] = process.argv.slice(2);
appendFileSync(pids!, `${process.pid}\n`);

for await (const line of console) {
  if (line === "") continue;
  const { id, method, params } = JSON.parse(line) as {
    id?: number;
    method?: string;
    params?: { protocolVersion?: string };
  };
  if (id === undefined) continue;
  const say = (result: object) => console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
  if (method !== "initialize") {
    say(method === "tools/list" ? { tools: [] } : {});
    continue;
  }
  const serverInfo = { name: "slow", version: "1" };
  const answer = { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo };
  setTimeout(() => say(answer), Number(ms));
}
