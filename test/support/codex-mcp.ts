/** An MCP server for the real Codex to start: `echo` says a text again, `form` has a form filled in by the person. */
interface Message {
  id?: number | string;
  method?: string;
  params?: { protocolVersion?: string; name?: string; arguments?: { text?: string } };
  result?: unknown;
}

const asked = new Map<number | string, (answer: unknown) => void>();

for await (const line of console) {
  if (line === "") continue;
  const message = JSON.parse(line) as Message;
  const { id, method, result } = message;
  if (id === undefined) continue;
  if (method === undefined) asked.get(id)?.(result);
  else void resultOf(message).then((made) => say({ id, result: made }));
}

async function resultOf({ method, params }: Message): Promise<object> {
  if (method === "initialize") {
    const serverInfo = { name: "echo", version: "1" };
    return { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo };
  }
  if (method === "tools/call") {
    if (params?.name === "form") return text(JSON.stringify(await ask()));
    return text(params?.arguments?.text ?? "nothing");
  }
  if (method !== "tools/list") return {};
  const properties = { text: { type: "string" } };
  return {
    tools: [
      { name: "echo", description: "Says it again", inputSchema: { type: "object", properties } },
      {
        name: "form",
        description: "Asks the person",
        inputSchema: { type: "object", properties: {} },
        // Codex asks no approval for what only reads (measured).
        annotations: { readOnlyHint: true },
      },
    ],
  };
}

function ask(): Promise<unknown> {
  const id = `form ${asked.size}`;
  const properties = {
    name: { type: "string", title: "Name", minLength: 2 },
    color: { type: "string", enum: ["red", "blue"] },
  };
  const requestedSchema = { type: "object", properties, required: ["name", "color"] };
  say({
    id,
    method: "elicitation/create",
    params: { mode: "form", message: "Who are you?", requestedSchema },
  });
  return new Promise((resolve) => asked.set(id, resolve));
}

function text(words: string): object {
  return { content: [{ type: "text", text: words }] };
}

function say(message: object): void {
  console.log(JSON.stringify({ jsonrpc: "2.0", ...message }));
}

export {};
