/** What a host can do over MCP besides calling a tool: ask its person, read resources, use the former Codex tools. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { until } from "../daemon/rig.ts";
import { binary, dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;
let client: Client;
/** What the person was shown, and gives. */
const shown: { message: string; requestedSchema: Json }[] = [];
let gives: Json | null = null;

beforeAll(async () => {
  rig = dispatchRig();
  client = await connected(["--flat"], { elicitation: { form: {} } });
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    shown.push(params as never);
    return gives === null ? { action: "decline" } : { action: "accept", content: gives as never };
  });
});

afterAll(async () => {
  await client.close();
  await rig.dispose();
});

async function connected(args: string[], capabilities: Json = {}): Promise<Client> {
  const made = new Client({ name: "test", version: "0" }, { capabilities });
  const env = { ...rig.env };
  await made.connect(
    new StdioClientTransport({ command: binary, args: ["mcp", ...args], env, cwd: rig.codex.cwd }),
  );
  return made;
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads any field of any answer, and what is not there fails it
type Answer = any;

async function ask(name: string, args: Json, by = client): Promise<Answer> {
  const answer: Answer = await by.callTool({ name, arguments: args });
  if (answer.isError) throw new Error(JSON.stringify(answer));
  return answer.structuredContent;
}

const asking = stringify([{ shell: "touch approved-by-person" }, { say: "done" }]);
const asks = { text: asking, approval_policy: "untrusted" };

test("a wait puts an approval to the person at the host, and records the answer as theirs", async () => {
  gives = { decision: "approve" };
  await ask("dispatch_new", { name: "asker", ...asks });
  const waited = await ask("dispatch_wait", { threads: ["@asker"], ask_person: true });
  expect(waited).toMatchObject({ verdict: "ok", threads: [{ title: "asker", last_message: "done" }] });
  expect(shown).toHaveLength(1);
  expect(shown[0]!.message).toContain("asker");
  expect(shown[0]!.message).toContain("touch approved-by-person");
  const { requests } = await rig.ask(["request", "list", "--all"]);
  expect(requests).toMatchObject([{ decision: "approve", answered_by: "person" }]);
});

test("what the person declines to answer stays open, and the wait says so with the ways to answer", async () => {
  gives = null;
  await ask("dispatch_new", { name: "second", ...asks });
  const waited = await ask("dispatch_wait", { threads: ["@second"], ask_person: true });
  expect(waited).toMatchObject({
    verdict: "needs_answer",
    threads: [
      { status: "waiting", asks: [{ ask: expect.stringContaining("touch"), options: expect.any(Array) }] },
    ],
  });
  expect(shown).toHaveLength(2);
  const [{ id }] = waited.threads[0].asks;
  expect(await ask("dispatch_request_answer", { id, deny: true })).toEqual({
    id,
    state: "answered",
    decision: "deny",
  });
});

test("a host that cannot ask says so, and the wait is an ordinary one", async () => {
  const mute = await connected(["--flat"]);
  const waited = await ask("dispatch_wait", { threads: ["@asker"], ask_person: true }, mute);
  expect(waited).toMatchObject({ verdict: "ok", note: expect.stringContaining("cannot ask") });
  await mute.close();
});

test("the threads, one thread and the open questions are resources", async () => {
  const { resources } = await client.listResources();
  expect(resources.map(({ uri }) => uri)).toContain("dispatch://threads");
  const read = async (uri: string) =>
    JSON.parse(((await client.readResource({ uri })).contents[0] as { text: string }).text);
  const { threads } = await read("dispatch://threads");
  expect(threads.map(({ title }: Json) => title).toSorted()).toEqual(["asker", "second"]);
  expect(await read(resources.at(-1)!.uri)).toHaveProperty("ref");
  expect(await read("dispatch://threads/%40asker")).toMatchObject({ title: "asker" });
  expect(await read("dispatch://requests")).toEqual({ requests: [], truncated: false });
  const { resourceTemplates } = await client.listResourceTemplates();
  expect(resourceTemplates[0]!.uriTemplate).toBe("dispatch://threads/{ref}");
  for (const uri of ["dispatch://threads/nobody", "dispatch://nothing", "file:///etc/passwd"])
    expect(client.readResource({ uri })).rejects.toMatchObject({ code: -32002 });
});

test("one call makes several threads, each with its own result, and the same key makes none again", async () => {
  const several = {
    cwd: rig.codex.cwd,
    idempotency_key: "batch",
    threads: [{ name: "one", text: "first" }, { name: "two", text: "second" }, { text: "nameless" }],
  };
  const made = await ask("dispatch_new", several);
  expect(made).toMatchObject({
    failed: 1,
    results: [{ title: "one" }, { title: "two" }, { error: expect.stringContaining("missing name") }],
  });
  const again = await ask("dispatch_new", several);
  expect(again.results.slice(0, 2)).toMatchObject(
    made.results.slice(0, 2).map(({ ref, receipt }: Json) => ({ ref, receipt })),
  );
  const waited = await ask("dispatch_wait", { threads: ["@one", "@two"] });
  expect(waited.threads).toMatchObject([{ last_message: "ok: first" }, { last_message: "ok: second" }]);
  const repeated = await ask("dispatch_wait", { threads: ["@one", "@two"] });
  expect(repeated.threads[0]).not.toHaveProperty("last_message");
  expect(await ask("dispatch_archive", { threads: ["@one", "@two"] })).toMatchObject({
    results: [{ status: "archived" }, { status: "archived" }],
  });
});

test("sixty-five calls at once are answered or may be tried again", async () => {
  const calls = Array.from({ length: 80 }, () =>
    client.callTool({
      name: "dispatch_wait",
      arguments: { threads: ["@asker"], for: "waiting", timeout: 2 },
    }),
  );
  const answers: Answer[] = await Promise.all(calls);
  const refused = answers.filter(({ isError }) => isError);
  expect(refused.length).toBeGreaterThan(0);
  for (const { _meta } of refused) expect(_meta).toMatchObject({ code: "overloaded", retry: "later" });
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(64);
});

test("codex and codex-reply work as those of the former server of Codex", async () => {
  const compat = await connected(["--codex-compat"]);
  const { tools } = await compat.listTools();
  expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(["codex", "codex-reply"]));
  const first = await ask(
    "codex",
    { prompt: "hello", sandbox: "read-only", "approval-policy": "never" },
    compat,
  );
  expect(first).toEqual({ threadId: expect.stringMatching(/^[0-9a-f-]{36}$/), content: "ok: hello" });
  const reply = await ask("codex-reply", { threadId: first.threadId, prompt: "again" }, compat);
  expect(reply).toEqual({ threadId: first.threadId, content: "ok: again" });
  // A turn that does not end well is no empty answer.
  const asks: Answer = await compat.callTool({
    name: "codex",
    arguments: { prompt: asking, "approval-policy": "untrusted" },
  });
  expect(asks.content[0].text).toStartWith("needs_answer (retry no): ");
  expect(asks.content[0].text).toContain("request_get");
  const failing = stringify([{ fail: "server_error" }]);
  const failed: Answer = await compat.callTool({
    name: "codex-reply",
    arguments: { threadId: first.threadId, prompt: failing },
  });
  expect(failed).toMatchObject({ isError: true, structuredContent: { error: { code: "turn_failed" } } });
  const wrong: Answer = await compat.callTool({ name: "codex", arguments: { promt: "x" } });
  expect(wrong.content[0].text).toStartWith("usage (retry no): codex has no field");
  await compat.close();
});

test("a call that the host made a task is served", async () => {
  const answer: Answer = await client.request(
    { method: "tools/call", params: { name: "dispatch_list", arguments: {}, task: { ttl: 1000 } } } as never,
    (await import("@modelcontextprotocol/sdk/types.js")).CallToolResultSchema,
  );
  expect(answer.structuredContent).toHaveProperty("threads");
});

test("two hosts at once: one dies in a call, and the other one's calls and the daemon go on", async () => {
  const text = stringify([{ wait: "two" }, { say: "over" }]);
  await ask("dispatch_new", { name: "shared", text });
  await rig.provider.reached("two");
  const transport = new StdioClientTransport({
    command: binary,
    args: ["mcp", "--flat"],
    env: rig.env,
    cwd: rig.codex.cwd,
  });
  const other = new Client({ name: "other", version: "0" });
  await other.connect(transport);
  const waiting = { name: "dispatch_wait", arguments: { threads: ["@shared"], timeout: 30 } };
  let told = 0;
  const cut = other.callTool(waiting, undefined, { onprogress: () => void told++ }).then(
    () => "answered",
    () => "cut",
  );
  const kept = client.callTool(waiting) as Promise<Answer>;
  // The daemon has the call.
  await until(() => told > 0, "progress");
  process.kill(transport.pid!, "SIGKILL");
  expect(await cut).toBe("cut");
  const { pid } = await rig.ask(["daemon", "status"]);
  rig.provider.release("two");
  expect((await kept).structuredContent).toMatchObject({
    verdict: "ok",
    threads: [{ last_message: "over" }],
  });
  expect((await rig.ask(["daemon", "status"])).pid).toBe(pid);
});

test("a send that waits is answered by its one receipt when the daemon is killed in the call", async () => {
  await ask("dispatch_new", { name: "cut" });
  const text = stringify([{ wait: "cut" }, { say: "never" }]);
  const sent = client.callTool({
    name: "dispatch_send",
    arguments: { thread: "@cut", text, wait: true },
  }) as Promise<Answer>;
  await rig.provider.reached("cut");
  process.kill((await rig.pids()).daemon, "SIGKILL");
  const { structuredContent: answer } = await sent;
  expect(answer).toMatchObject({ state: "done", outcome: "interrupted", verdict: "turn_failed" });
  const { receipts } = await rig.ask(["receipt", "list", "--thread", "@cut"]);
  expect(receipts.map(({ receipt }: Json) => receipt)).toEqual([answer.receipt]);
});
