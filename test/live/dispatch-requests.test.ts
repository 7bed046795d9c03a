/** Codex asks; dispatch shows, answers once, and refuses out loud what it cannot show yet. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { type Step, stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;

beforeAll(() => {
  const server = JSON.stringify(join(import.meta.dir, "../support/codex-mcp.ts"));
  const command = JSON.stringify(process.execPath);
  rig = dispatchRig({ config: `[mcp_servers.echo]\ncommand = ${command}\nargs = [${server}]\n` });
});

afterAll(() => rig.dispose());

const careful = ["--sandbox", "read-only", "--approval-policy", "on-request"];

async function asked(name: string, script: Step[]): Promise<{ ref: string; request: string }> {
  const { ref } = await rig.ask(["new", "--name", name, ...careful, "--text", stringify(script)]);
  return { ref, request: await nextRequest(ref) };
}

async function nextRequest(ref: string): Promise<string> {
  const { threads } = await rig.ask(["wait", ref, "--for", "waiting", "--timeout", "20"]);
  return threads[0].requests[0].id;
}

const answer = (request: string, how: string) => rig.ask(["request", "answer", request, how]);
const done = (ref: string) => rig.run(["wait", ref, "--timeout", "30"]);
const made = (name: string) => existsSync(join(rig.codex.cwd, name));
const touching = (name: string): Step => ({ shell: `touch ${name}`, escalate: "to write" });

test("approve runs the command, outside the sandbox", async () => {
  const { ref, request } = await asked("approve", [touching("approved"), { say: "so" }]);
  expect(made("approved")).toBe(false);
  expect(await answer(request, "--approve")).toMatchObject({ state: "answered", decision: "approve" });
  expect((await done(ref)).code).toBe(0);
  expect(made("approved")).toBe(true);
});

test("deny does not, and the turn goes on", async () => {
  const { ref, request } = await asked("deny", [touching("denied"), { say: "without it" }]);
  await answer(request, "--deny");
  expect((await done(ref)).code).toBe(0);
  expect(made("denied")).toBe(false);
  expect(await rig.ask(["get", ref])).toMatchObject({ last_message: { text: "without it" }, requests: [] });
});

test("cancel does not, and the turn is interrupted", async () => {
  const { ref, request } = await asked("cancel", [touching("cancelled"), { say: "never" }]);
  await answer(request, "--cancel");
  expect((await done(ref)).code).toBe(8);
  expect(made("cancelled")).toBe(false);
  expect((await rig.ask(["get", ref])).latest_turn.status).toBe("interrupted");
});

test("approve for the session asks once for the same command", async () => {
  const { ref, request } = await asked("session", [touching("again"), touching("again"), { say: "twice" }]);
  await answer(request, "--approve-for-session");
  expect((await done(ref)).code).toBe(0);
  expect((await rig.ask(["request", "list", "--thread", ref, "--all"])).requests).toHaveLength(1);
});

test("of two answers at once one is taken, and the other told", async () => {
  const { ref, request } = await asked("race", [touching("raced"), { say: "so" }]);
  const both = await Promise.all(
    ["--approve", "--deny"].map((how) => rig.run(["request", "answer", request, how])),
  );
  expect(both.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, 12]);
  expect((await done(ref)).code).toBe(0);
  expect(made("raced")).toBe(both[0]!.code === 0);
});

test("a stopped turn takes its question with it", async () => {
  const { ref, request } = await asked("stopped", [touching("stopped"), { say: "never" }]);
  expect(await rig.ask(["stop", ref])).toMatchObject({ state: "stopped", requests: [] });
  expect((await rig.ask(["request", "get", request])).state).not.toBe("open");
  expect((await rig.refused(["request", "answer", request, "--approve"])).code).toBe("conflict");
  expect(made("stopped")).toBe(false);
});

test("an elicitation of an MCP server is refused by its own word, with an event, and the turn goes on", async () => {
  const script: Step[] = [{ tool: "echo", namespace: "mcp__echo", arguments: { text: "x" } }, { say: "on" }];
  const { ref } = await rig.ask(["new", "--name", "mcp", ...careful, "--text", stringify(script)]);
  expect((await done(ref)).code).toBe(0);
  expect((await rig.ask(["get", ref])).last_message.text).toBe("on");
  const { requests } = await rig.ask(["request", "list", "--thread", ref, "--all"]);
  expect(requests).toMatchObject([{ kind: "elicitation", state: "answered", decision: "refused" }]);
  const { events } = await rig.ask([
    "events",
    "--thread",
    ref,
    "--kinds",
    "request.opened",
    "--kinds",
    "request.answered",
  ]);
  expect(events.map((row: Json) => row["kind"])).toEqual(["request.opened", "request.answered"]);
  expect(events[1].data).toMatchObject({ kind: "elicitation", decision: "refused", by: "dispatch" });
});
