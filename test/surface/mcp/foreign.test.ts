/** What hosts send that is of a later revision of the protocol, or of a wrong kind: it is answered, and nothing is lost. */
import { expect, test } from "bun:test";
import { agreeable, fakeDaemon } from "../support/daemon.ts";
import { closing } from "../support/mcp.ts";
import { newHome, run, socketIn } from "../support/run.ts";

interface Answer {
  id: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any field of any answer, and what is not there fails it
  result?: any;
  error?: { code: number };
}

/** The answers of one process, by their ids, and the callers that the daemon saw. */
async function conversation(messages: readonly object[]) {
  const home = newHome();
  const daemon = fakeDaemon(socketIn(home), agreeable);
  closing.push(() => daemon.stop());
  const stdin = messages.map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`).join("");
  const { stdout, stderr, code } = await run(home, ["mcp"], { stdin });
  expect([stderr, code]).toEqual(["", 0]);
  const answers = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Answer);
  return {
    answers: new Map(answers.map((answer) => [answer.id, answer])),
    count: answers.length,
    callers: daemon.calls.map(({ caller }) => caller.thread_id),
  };
}

const call = { name: "dispatch_thread_read", arguments: { op: "get", thread: "x" } };

test("requests of the revision 2026-07-28 are answered, before the host opens the session in the older way", async () => {
  const clientInfo = { name: "host", version: "1" };
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": clientInfo,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const { answers, count, callers } = await conversation([
    { id: "discover", method: "server/discover", params: { _meta } },
    { id: "list", method: "tools/list", params: { _meta } },
    { id: "call", method: "tools/call", params: { ...call, _meta } },
    { id: "listen", method: "subscriptions/listen", params: { _meta, notifications: {} } },
    { method: "notifications/of-tomorrow", params: { _meta } },
    {
      id: "initialize",
      method: "initialize",
      params: { protocolVersion: "2026-07-28", capabilities: {}, clientInfo },
    },
    { id: "again", method: "tools/call", params: call },
  ]);
  expect(count).toBe(6);
  // What is not there yet is an unknown method, after which a host goes on in the older way.
  for (const id of ["discover", "listen"]) expect(answers.get(id)?.error?.code).toBe(-32601);
  expect(answers.get("list")?.result.tools.length).toBeGreaterThan(2);
  expect(answers.get("initialize")?.result.protocolVersion).toBe("2025-11-25");
  for (const id of ["call", "again"]) expect(answers.get(id)?.result.structuredContent.ref).toBe("abc123");
  expect(callers).toEqual([null, null]);
});

test("a _meta of a wrong kind is refused with the id of its call, and nothing is called", async () => {
  const kinds = [
    5,
    "x",
    [],
    null,
    true,
    { progressToken: {} },
    { progressToken: null },
    { "io.modelcontextprotocol/related-task": 5 },
    { threadId: {} },
    { "x-codex-turn-metadata": [] },
    { "x-codex-turn-metadata": { thread_id: [] } },
  ];
  const ids = kinds.map((kind) => JSON.stringify(kind));
  const { answers, callers } = await conversation([
    ...kinds.map((_meta, at) => ({ id: ids[at], method: "tools/call", params: { ...call, _meta } })),
    { id: "ping", method: "ping" },
  ]);
  const refused = ids.filter((id) => {
    const { error, result } = answers.get(id) ?? {};
    return error?.code === -32600 || result?.structuredContent.error.code === "usage";
  });
  expect(refused).toEqual(ids);
  expect(callers).toEqual([]);
  // The server goes on.
  expect(answers.get("ping")?.result).toEqual({});
});

test("a _meta with a thread of nobody is an agent that is not known, and other fields are let be", async () => {
  const kinds = [
    { threadId: null },
    { "x-codex-turn-metadata": null },
    { "io.modelcontextprotocol/protocolVersion": 5 },
    { "example.com/anything": [{}] },
  ];
  const { callers } = await conversation(
    kinds.map((_meta, id) => ({ id, method: "tools/call", params: { ...call, _meta } })),
  );
  expect(callers.toSorted()).toEqual([null, null, "unknown", "unknown"]);
});
