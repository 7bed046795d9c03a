/** An MCP server on HTTP for clients that speak only that: each session is one process that speaks stdio. */
export interface Bridge {
  url: string;
  stop(): Promise<void>;
}

interface Message {
  id?: number | string;
  method?: string;
}

interface Session {
  send(message: unknown): void;
  answerTo(id: number | string): Promise<unknown>;
  end(): Promise<void>;
}

export function stdioBridge(
  argv: string[],
  { env, cwd }: { env: Record<string, string>; cwd: string },
): Bridge {
  const sessions = new Map<string, Session>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      if (request.method === "DELETE") return new Response(null, { status: 200 });
      // A stream of the server's own messages: it has none without a call.
      if (request.method !== "POST") return new Response(null, { status: 405 });
      const message = (await request.json()) as Message;
      const isFirst = message.method === "initialize";
      const id = isFirst ? crypto.randomUUID() : (request.headers.get("mcp-session-id") ?? "");
      if (isFirst) sessions.set(id, session(argv, env, cwd));
      const one = sessions.get(id);
      if (!one) return new Response("no such session", { status: 404 });
      const answer = message.id !== undefined && message.method ? one.answerTo(message.id) : undefined;
      one.send(message);
      const headers = { "mcp-session-id": id };
      return answer === undefined
        ? new Response(null, { status: 202, headers })
        : Response.json(await answer, { headers });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/mcp`,
    async stop() {
      await Promise.all([...sessions.values()].map((one) => one.end()));
      await server.stop(true);
    },
  };
}

function session(argv: string[], env: Record<string, string>, cwd: string): Session {
  const child = Bun.spawn(argv, { env, cwd, stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const waiting = new Map<number | string, (answer: unknown) => void>();
  const read = async () => {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of child.stdout) {
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const message = JSON.parse(line) as Message;
        if (message.id !== undefined && message.method === undefined) waiting.get(message.id)?.(message);
      }
    }
  };
  const done = read();
  return {
    send: (message) => void child.stdin.write(`${JSON.stringify(message)}\n`),
    answerTo: (id) => new Promise((resolve) => waiting.set(id, resolve)),
    async end() {
      child.stdin.end();
      await child.exited;
      await done;
    },
  };
}
