/** What is told of threads whose work goes on, or ended, without a turn of ours: on the real Codex. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dispatchRig, type Rig } from "../support/dispatch.ts";
import { until } from "../support/fault.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;
beforeAll(() => {
  rig = dispatchRig({ config: '[mcp_servers.absent]\ncommand = "/nonexistent/server"\n' });
});
afterAll(() => rig.dispose());

test("a sub-agent that outlives its parent's turn is shown, waited for, and keeps the daemon", async () => {
  const spawn = { message: stringify([{ wait: "child" }, { say: "child over" }]) };
  const text = stringify([
    { tool: "spawn_agent", namespace: "multi_agent_v1", arguments: spawn },
    { say: "spawned" },
  ]);
  const { ref } = await rig.ask(["new", "--name", "parent", "--text", text]);
  await rig.provider.reached("child");
  await rig.ask(["wait", ref, "--for", "idle", "--timeout", "20"]);
  expect((await rig.ask(["get", ref])).agents).toHaveLength(1);
  expect(await rig.refused(["down"])).toMatchObject({
    code: "thread_busy",
    message: expect.stringContaining(ref),
  });
  for (const command of ["archive", "forget", "give"])
    expect(await rig.refused([command, ref, ...(command === "give" ? [] : ["--yes"])])).toMatchObject({
      code: "thread_busy",
      hint: `dispatch wait ${ref}; or dispatch stop ${ref}, which ends them`,
    });
  const early = await rig.run(["wait", ref, "--timeout", "1"]);
  expect(early.code).toBe(14);
  rig.provider.release("child");
  await rig.ask(["wait", ref, "--timeout", "20"]);
  expect((await rig.ask(["get", ref])).agents).toEqual([]);
});

test("a sub-agent that fails after its parent's turn is told, with its reason", async () => {
  const spawn = {
    message: stringify([{ wait: "failing child" }, { fail: "server_error", message: "boom" }]),
  };
  const text = stringify([
    { tool: "spawn_agent", namespace: "multi_agent_v1", arguments: spawn },
    { say: "spawned" },
  ]);
  const { ref } = await rig.ask(["new", "--name", "parent of a failure", "--text", text]);
  await rig.provider.reached("failing child");
  await rig.ask(["wait", ref, "--for", "idle", "--timeout", "20"]);
  rig.provider.release("failing child");
  expect((await rig.run(["wait", ref, "--timeout", "20"])).code).toBe(8);
  expect(await rig.ask(["get", ref])).toMatchObject({
    latest_turn: { status: "completed", error: { message: expect.stringContaining("boom") } },
    queue: { reason: "failed" },
  });
  const { events } = await rig.ask(["events", "--kinds", "thread.agents"]);
  expect(events.at(-1).data).toEqual({ working: 0, why: expect.stringContaining("boom"), reason: "failed" });
});

test("stop ends a sub-agent that outlives its parent's turn", async () => {
  const spawn = { message: stringify([{ wait: "stopped child" }, { say: "child over" }]) };
  const text = stringify([
    { tool: "spawn_agent", namespace: "multi_agent_v1", arguments: spawn },
    { say: "spawned" },
  ]);
  const { ref } = await rig.ask(["new", "--name", "stopped parent", "--text", text]);
  await rig.provider.reached("stopped child");
  await rig.ask(["wait", ref, "--for", "idle", "--timeout", "20"]);
  const { agents } = await rig.ask(["get", ref]);
  expect(agents).toHaveLength(1);
  expect(await rig.ask(["stop", ref])).toMatchObject({
    state: "stopped",
    turn_id: null,
    agents: [],
    agents_stopped: agents,
    queue: { reason: "stopped" },
  });
  const waited = await rig.run(["wait", ref, "--timeout", "20"]);
  expect([waited.code, waited.json.verdict]).toEqual([8, "turn_failed"]);
});

test("a goal that is active when its daemon is killed is paused, asks for attention, and goes on by the command shown", async () => {
  const { ref } = await rig.ask(["new", "--name", "goal", "--text", "hello"]);
  await rig.ask(["wait", ref, "--timeout", "20"]);
  await rig.ask(["goal", "set", ref, "ship it", "--status", "active"]);
  await rig.ask(["down", "--force"]);
  await rig.ask(["up"]);
  const { goal } = await rig.ask(["get", ref]);
  expect(goal).toMatchObject({ status: "paused", resume: `dispatch goal set ${ref} --status active` });
  expect((await rig.ask(["wait", ref, "--for", "attention", "--timeout", "5"])).verdict).toBe("ok");
  expect((await rig.ask(["goal", "status", ref])).goal.status).toBe("paused");
  expect((await rig.ask(goal.resume.split(" ").slice(1))).goal.status).toBe("active");
  await rig.ask(["goal", "set", ref, "--status", "paused"]);
});

test("a thread whose folder is gone takes nothing, and a fork elsewhere goes on with it", async () => {
  const folder = join(rig.home, "gone");
  mkdirSync(folder);
  const { ref } = await rig.ask(["new", "--name", "roving", "--cwd", folder, "--text", "hello"]);
  await rig.ask(["wait", ref, "--timeout", "20"]);
  rmSync(folder, { recursive: true });
  const refused = await rig.refused(["send", ref, "work"]);
  expect(refused).toMatchObject({ code: "conflict", message: expect.stringContaining(folder) });
  expect((await rig.ask(["get", ref])).blocked.reason).toContain(folder);
  const fork = await rig.ask(["fork", ref, "--name", "settled", "--cwd", tmpdir()]);
  expect(await rig.ask(["send", fork.ref, "work", "--wait"])).toMatchObject({ verdict: "ok" });
});

test("an MCP server that does not start is named by get, by its event and by doctor", async () => {
  const { ref } = await rig.ask(["new", "--name", "served", "--text", "hello"]);
  await rig.ask(["wait", ref, "--timeout", "20"]);
  const warned = async () => (await rig.ask(["get", ref])).warnings as string[];
  await until("the warning", async () => (await warned()).length > 0);
  expect((await warned())[0]).toContain("absent");
  const { events } = await rig.ask(["events", "--thread", ref, "--limit", "100"]);
  const told = events.map((event: { data: { server?: string } }) => event.data.server);
  expect(told).toContain("absent");
  const { checks } = await rig.ask(["doctor"]);
  const found = checks.find((check: { name: string }) => check.name === "app_server");
  expect(found).toMatchObject({ status: "warn", detail: expect.stringContaining("absent") });
});
