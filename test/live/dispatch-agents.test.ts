/** Agents that call dispatch: from the shell of a real thread, and through the MCP server that Codex starts for it. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binary, dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { type Step, stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;

beforeAll(async () => {
  rig = dispatchRig();
  const env = Object.entries(rig.env).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  const server = [`command = ${JSON.stringify(binary)}`, 'args = ["mcp"]', `env = { ${env.join(", ")} }`];
  appendFileSync(join(rig.codex.home, "config.toml"), `[mcp_servers.dispatch]\n${server.join("\n")}\n`);
  await rig.ask(["up"]);
  config("");
});

afterAll(() => rig.dispose());

/** An agent's calls of dispatch are approved; what comes of them is what is tested. */
const tools = '[[policy.rules]]\nkind = "mcp_tool_approval"\ncommand = "dispatch"\nanswer = "approve"\n';
const shells = `[[policy.rules]]\nkind = "command_approval"\ncommand = ${JSON.stringify(binary)}\noutside_sandbox = true\nanswer = "approve"\n`;
const config = (policy: string) =>
  writeFileSync(join(rig.home, "config.toml"), `[policy]\n${policy}\n${tools}${shells}`);

const outputs = (): string[] => {
  const items = rig.provider.requests.at(-1)!.body.input ?? [];
  return items.filter((item) => item.type?.endsWith("_output")).map((item) => JSON.stringify(item.output));
};

/** What a thread with these rights is told by the last of its calls. */
async function told(
  name: string,
  steps: Step[],
  rights: readonly string[],
): Promise<{ ref: string; said: string }> {
  const text = stringify([...steps, { say: "so" }]);
  const { ref } = await rig.ask(["new", "--name", name, ...rights, "--text", text]);
  await rig.ask(["wait", ref, "--timeout", "40"]);
  return { ref, said: outputs().at(-1)! };
}

const calling = (tool: string, args: Json): Step => ({ tool, namespace: "mcp__dispatch", arguments: args });
const boxed = ["--sandbox", "workspace-write", "--approval-policy", "on-request"];

test("through MCP a boxed thread creates what is boxed as it is, and nothing that may do more", async () => {
  const { said } = await told(
    "boxed",
    [
      calling("dispatch_new", { name: "helper", cwd: rig.codex.cwd }),
      calling("dispatch_new", { name: "wider", cwd: rig.codex.cwd, sandbox: "danger-full-access" }),
    ],
    boxed,
  );
  expect(said).toContain("no thread that may do more than itself");
  const { threads } = await rig.ask(["list", "--full"]);
  const boss = threads.find((thread: Json) => thread["title"] === "boxed");
  expect(threads.map((thread: Json) => thread["title"]).toSorted()).toEqual(["boxed", "helper"]);
  expect(threads.find((thread: Json) => thread["title"] === "helper")).toMatchObject({
    sandbox: "workspace-write",
    approval_policy: "on-request",
    created_by: boss.id,
  });
});

test("it writes no wider than where it writes itself", async () => {
  const elsewhere = join(rig.codex.cwd, "..", "elsewhere");
  mkdirSync(elsewhere);
  const { said } = await told(
    "narrow",
    [calling("dispatch_new", { name: "outside", cwd: elsewhere })],
    boxed,
  );
  expect(said).toContain("it would write in");
});

test("it manages what it created, and not what others did", async () => {
  await rig.thread("bystander");
  const { said } = await told(
    "manager",
    [
      calling("dispatch_new", { name: "its own", cwd: rig.codex.cwd }),
      calling("dispatch_rename", { thread: "its own", name: "renamed" }),
      calling("dispatch_rename", { thread: "@bystander", name: "stolen" }),
    ],
    boxed,
  );
  expect(said).toContain("what it did not create");
  const titles = (await rig.ask(["list"])).threads.map((thread: Json) => thread["title"]);
  expect(titles).toContain("renamed");
  expect(titles).toContain("bystander");
});

test("a shell that was let out of its sandbox is still known by its thread", async () => {
  const line = `${binary} new --name escaped --sandbox danger-full-access --cwd ${rig.codex.cwd}`;
  const { ref, said } = await told("let out", [{ shell: line, escalate: "to dispatch" }], boxed);
  expect(said).toContain("denied");
  expect(said).toContain("Process exited with code 17");
  const { requests } = await rig.ask(["request", "list", "--thread", ref, "--all"]);
  expect(requests).toMatchObject([{ decision: "approve", answered_by: "policy rule 2" }]);
});

test("it does not approve for another what it may not do itself, and declines it", async () => {
  const asking = stringify([{ shell: "touch approved", escalate: "to write" }, { say: "without" }]);
  const { ref } = await told(
    "judge",
    [calling("dispatch_new", { name: "asker", cwd: rig.codex.cwd, text: asking })],
    boxed,
  );
  await rig.ask(["wait", "@asker", "--for", "waiting", "--timeout", "20"]);
  const [request] = (await rig.ask(["get", "@asker"])).requests;
  const judged = async (how: Json) => {
    const step = calling("dispatch_request_answer", { id: request.id, ...how });
    await rig.ask(["send", ref, stringify([step, { say: "so" }]), "--wait", "--timeout", "40"]);
    return outputs().at(-1)!;
  };
  expect(await judged({ approve: true })).toContain("may not do itself");
  expect((await rig.ask(["request", "get", request.id])).state).toBe("open");
  await judged({ deny: true });
  const { id } = await rig.ask(["get", ref]);
  expect(await rig.ask(["request", "get", request.id])).toMatchObject({ decision: "deny", answered_by: id });
});

test("of a thread that is not managed its rights are read from Codex's own record", async () => {
  const { ref, id } = await rig.thread("stranger", "hello", boxed);
  await rig.ask(["forget", ref, "--yes"]);
  const from = { env: { CODEX_THREAD_ID: id } };
  const error = await rig.refused(["new", "--name", "x", "--sandbox", "danger-full-access"], from);
  expect(error).toMatchObject({ code: "denied" });
  expect(error.message).toContain("the agent's is workspace-write");
  expect(await rig.ask(["new", "--name", "of a stranger"], from)).toMatchObject({
    sandbox: "workspace-write",
    approval_policy: "on-request",
    created_by: id,
  });
});

test("where agents may only read they list, and create nothing; where they are free they may", async () => {
  config('agents = "read"');
  const from = { env: { CODEX_THREAD_ID: (await rig.ask(["get", "@boxed"])).id } };
  expect((await rig.ask(["list"], from)).threads.length).toBeGreaterThan(0);
  expect((await rig.refused(["new", "--name", "x"], from)).code).toBe("denied");
  expect((await rig.refused(["send", "@bystander", "hi"], from)).code).toBe("denied");
  config('agents = "free"');
  await rig.ask(["new", "--name", "freed", "--sandbox", "danger-full-access"], from);
});
