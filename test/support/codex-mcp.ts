/** An MCP server with one tool, `echo`, for the real Codex to start. */
interface Call {
  id?: number;
  method: string;
  params?: { protocolVersion?: string; arguments?: { text?: string } };
}

for await (const line of console) {
  if (line === "") continue;
  const { id, method, params } = JSON.parse(line) as Call;
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: "2.0", id, result: resultOf(method, params) }));
}

function resultOf(method: string, params: Call["params"]): object {
  if (method === "initialize") {
    const serverInfo = { name: "echo", version: "1" };
    return { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo };
  }
  if (method === "tools/call")
    return { content: [{ type: "text", text: params?.arguments?.text ?? "nothing" }] };
  if (method !== "tools/list") return {};
  return {
    tools: [
      {
        name: "echo",
        description: "Says it again",
        inputSchema: { type: "object", properties: { text: { type: "string" } } },
      },
    ],
  };
}

export {};
