/** Codex asks, in every way that it has; dispatch shows it, and answers once. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until as reaches } from "../daemon/rig.ts";
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

/** A file change is asked for where the sandbox does not let it be written; `gpt-5.5` has the tool. */
test("a file change is shown with its diff, and written when it is approved", async () => {
  const path = join(rig.codex.cwd, "patched");
  const patch = `*** Begin Patch\n*** Add File: ${path}\n+hello\n*** End Patch`;
  const script: Step[] = [{ patch }, { say: "so" }];
  const flags = [...careful, "--model", "gpt-5.5"];
  const { ref } = await rig.ask(["new", "--name", "patch", ...flags, "--text", stringify(script)]);
  const request = await nextRequest(ref);
  const asked = await rig.ask(["request", "get", request]);
  const diff = `--- /dev/null\n+++ b${path}\n@@ -0,0 +1,1 @@\n+hello\n`;
  expect(asked).toMatchObject({
    kind: "file_change_approval",
    thread: ref,
    state: "open",
    summary: "add patched",
    outside_sandbox: true,
    changes: [{ path, kind: "add", to: null, diff }],
    diff,
    truncated: false,
  });
  expect(made("patched")).toBe(false);
  await answer(request, "--approve");
  expect((await done(ref)).code).toBe(0);
  expect(made("patched")).toBe(true);
});

test("every file of a patch is named with what becomes of it, also where the thread is read and searched", async () => {
  const at = (name: string) => join(rig.codex.cwd, name);
  writeFileSync(at("gone.txt"), "one\ntwo\n");
  writeFileSync(at("old.txt"), "m1\nm2\n");
  const patch = `*** Begin Patch
*** Add File: ${at("fresh.txt")}
+hello
*** Delete File: ${at("gone.txt")}
*** Update File: ${at("old.txt")}
*** Move to: ${at("new.txt")}
@@
-m1
+M1
 m2
*** End Patch`;
  const flags = [...careful, "--model", "gpt-5.5"];
  const text = stringify([{ patch }, { say: "so" }]);
  const { ref } = await rig.ask(["new", "--name", "files", ...flags, "--text", text]);
  const request = await nextRequest(ref);
  const asked = await rig.ask(["request", "get", request]);
  expect(asked.summary).toBe("delete gone.txt, move old.txt to new.txt, add fresh.txt");
  const kinds = asked.changes.map(({ kind, path, to }: Json) => [kind, path, to]);
  expect(kinds.toSorted()).toEqual([
    ["add", at("fresh.txt"), null],
    ["delete", at("gone.txt"), null],
    ["move", at("old.txt"), at("new.txt")],
  ]);
  expect(asked.diff).toContain(`--- a${at("gone.txt")}\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n`);
  expect(asked.diff).toContain(
    `--- a${at("old.txt")}\n+++ b${at("new.txt")}\n@@ -1,2 +1,2 @@\n-m1\n+M1\n m2\n`,
  );
  const shown = (await rig.screen(["get", ref])).text;
  expect(shown).toContain(`dispatch request get ${request}`);
  expect(shown).not.toContain("--approve");
  expect((await rig.screen(["request", "get", request], { columns: 200 })).text).toContain(
    `delete ${at("gone.txt")}`,
  );
  await answer(request, "--approve");
  expect((await done(ref)).code).toBe(0);
  expect([made("gone.txt"), made("old.txt"), made("new.txt"), made("fresh.txt")]).toEqual([
    false,
    false,
    true,
    true,
  ]);
  const { items } = await rig.ask(["tail", ref, "--full"]);
  const change = items.find(({ type }: Json) => type === "file_change");
  expect(change.changes.map(({ kind, path }: Json) => [kind, path]).toSorted()).toEqual(
    kinds.map(([kind, path]: string[]) => [kind, path]).toSorted(),
  );
  const { matches } = await rig.ask(["search", "fresh.txt", "--thread", ref]);
  expect(matches.map(({ item_id }: Json) => item_id)).toContain(change.item_id);
  const { events } = await rig.ask(["events", "--thread", ref, "--kinds", "item.completed"]);
  expect(events.map(({ data }: Json) => (data as Json)["preview"])).toContain(asked.summary);
});

const outputs = () => {
  const items = rig.provider.requests.at(-1)!.body.input ?? [];
  return items.filter((item) => item.type?.endsWith("_output")).map((item) => JSON.stringify(item.output));
};

describe("a question to the person", () => {
  // In Codex's default mode the tool is a feature; in plan mode it is always there, and asks in the same words.
  const may = ["--config", "features.default_mode_request_user_input=true"];
  const options = [
    { label: "A", description: "the first" },
    { label: "B", description: "the second" },
  ];
  const pick = { id: "q1", header: "Pick", question: "Which?", options };
  const key = { id: "q2", header: "Key", question: "Which key?", isSecret: true, options };

  async function asking(name: string, questions: Json[]): Promise<{ ref: string; request: string }> {
    const script: Step[] = [{ tool: "request_user_input", arguments: { questions } }, { say: "heard" }];
    const { ref } = await rig.ask(["new", "--name", name, ...careful, ...may, "--text", stringify(script)]);
    return { ref, request: await nextRequest(ref) };
  }

  test("is shown with its options, refuses what does not fit, and is answered once", async () => {
    const { ref, request } = await asking("pick", [pick]);
    expect(await rig.ask(["request", "get", request])).toMatchObject({
      kind: "user_input",
      summary: "Which?",
      questions: [{ id: "q1", header: "Pick", question: "Which?", options }],
      options: ["reply", "answer", "deny"],
    });
    expect((await rig.refused(["request", "answer", request, "--approve"])).message).toContain("--reply");
    expect((await rig.refused(["request", "answer", request, "--answer", '{"q9":"A"}'])).code).toBe("usage");
    expect(await rig.ask(["request", "answer", request, "--reply", "B"])).toMatchObject({
      decision: "answer",
    });
    expect((await done(ref)).code).toBe(0);
    expect(outputs().at(-1)).toContain("q1");
    expect(JSON.parse(JSON.parse(outputs().at(-1)!))).toEqual({ answers: { q1: { answers: ["B"] } } });
  });

  test("takes a secret from standard input, and keeps it out of every record of dispatch", async () => {
    const { ref, request } = await asking("secret", [pick, key]);
    const answers = JSON.stringify({ q1: "A", q2: ["open sesame 4711"] });
    await rig.ask(["request", "answer", request, "--answer", "-"], { stdin: answers });
    expect((await done(ref)).code).toBe(0);
    expect(outputs().at(-1)).toContain("open sesame 4711");
    const told = [
      ["request", "get", request],
      ["events", "--limit", "1000"],
      ["daemon", "log", "--limit", "1000"],
      ["daemon", "log", "--raw", "--limit", "1000"],
    ];
    for (const args of told) expect((await rig.run(args)).stdout).not.toContain("sesame");
    const files = [...new Bun.Glob("**/*").scanSync({ cwd: rig.home, onlyFiles: true })];
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) expect(await Bun.file(join(rig.home, file)).text()).not.toContain("sesame");
  });

  test("is left without an answer by --deny, and the turn goes on", async () => {
    const { ref, request } = await asking("silent", [pick]);
    await answer(request, "--deny");
    expect((await done(ref)).code).toBe(0);
    expect(JSON.parse(JSON.parse(outputs().at(-1)!))).toEqual({ answers: {} });
  });
});

describe("an MCP server", () => {
  const call = (tool: string): Step => ({ tool, namespace: "mcp__echo", arguments: { text: "x" } });

  async function calling(name: string, script: Step[]): Promise<{ ref: string; request: string }> {
    const { ref } = await rig.ask(["new", "--name", name, ...careful, "--text", stringify(script)]);
    return { ref, request: await nextRequest(ref) };
  }

  test("has its tool run when that is approved, and is shown with what it is given", async () => {
    const { ref, request } = await calling("tool", [call("echo"), { say: "on" }]);
    expect(await rig.ask(["request", "get", request])).toMatchObject({
      kind: "mcp_tool_approval",
      summary: 'run echo/echo {"text":"x"}',
      outside_sandbox: true,
      tool: { server: "echo", name: "echo", arguments: { text: "x" } },
    });
    await answer(request, "--approve");
    expect((await done(ref)).code).toBe(0);
    expect(outputs().at(-1)).toContain('"x');
  });

  test("asks once for a tool that is approved for the session", async () => {
    const { ref, request } = await calling("tools", [call("echo"), call("echo"), { say: "on" }]);
    await answer(request, "--approve-for-session");
    expect((await done(ref)).code).toBe(0);
    expect((await rig.ask(["request", "list", "--thread", ref, "--all"])).requests).toHaveLength(1);
  });

  test("does not have it run when that is denied, and the turn goes on", async () => {
    const { ref, request } = await calling("no tool", [call("echo"), { say: "on" }]);
    await answer(request, "--deny");
    expect((await done(ref)).code).toBe(0);
    expect(outputs().at(-1)).toContain("rejected");
  });

  test("gets its form back as it was filled in, and not what does not fit it", async () => {
    const { ref, request } = await calling("form", [call("form"), { say: "on" }]);
    expect(await rig.ask(["request", "get", request])).toMatchObject({
      kind: "elicitation",
      form: { server: "echo", message: "Who are you?", schema: { required: ["name", "color"] } },
      options: ["answer", "deny", "cancel"],
    });
    const how = (json: string) => ["request", "answer", request, "--answer", json];
    expect((await rig.refused(how('{"name":"Al"}'))).message).toContain("color");
    expect((await rig.refused(how('{"name":"Al","color":"green"}'))).message).toContain("red, blue");
    await rig.ask(how('{"name":"Al","color":"red"}'));
    expect((await done(ref)).code).toBe(0);
    expect(outputs().at(-1)).toContain("Al");
  });

  test("is told when its form is declined", async () => {
    const { ref, request } = await calling("no form", [call("form"), { say: "on" }]);
    await answer(request, "--deny");
    expect((await done(ref)).code).toBe(0);
    expect(outputs().at(-1)).toContain("decline");
  });
});

test("what a sub-agent asks its thread asks, and it goes on with the answer", async () => {
  const work = stringify([touching("by-a-sub-agent"), { say: "done below" }]);
  const spawn = { message: work, task_name: "kid", agent_type: "default" };
  const { ref, request } = await asked("spawner", [
    { tool: "spawn_agent", namespace: "multi_agent_v1", arguments: spawn },
    { say: "spawned" },
  ]);
  const shown = await rig.ask(["request", "get", request]);
  expect(shown).toMatchObject({ thread: ref, kind: "command_approval", state: "open" });
  expect(shown.sub_agent).not.toBe((await rig.ask(["get", ref])).id);
  await answer(request, "--approve");
  const { events } = await rig.ask(["events", "--thread", ref, "--kinds", "request.answered"]);
  expect(events.at(-1).data).toMatchObject({ decision: "approve", by: "cli" });
  await reaches(() => made("by-a-sub-agent"), "the file");
  expect((await rig.ask(["get", ref])).requests).toEqual([]);
});

test("permissions are granted as they were asked for, and no others", async () => {
  const write = [join(rig.codex.cwd, "granted")];
  const permissions = { file_system: { write } };
  const script: Step[] = [
    { tool: "request_permissions", arguments: { reason: "to write", permissions } },
    { say: "on" },
  ];
  const may = ["--config", "features.request_permissions_tool=true"];
  const { ref } = await rig.ask(["new", "--name", "more", ...careful, ...may, "--text", stringify(script)]);
  const request = await nextRequest(ref);
  const asked = await rig.ask(["request", "get", request]);
  expect(asked).toMatchObject({ kind: "permissions_approval", reason: "to write" });
  expect(asked.permissions.fileSystem.write).toEqual(write);
  await answer(request, "--approve");
  expect((await done(ref)).code).toBe(0);
  expect(outputs().at(-1)).toContain("granted");
});
