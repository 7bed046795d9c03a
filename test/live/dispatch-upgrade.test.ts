/** Two versions of the product on one home: the newer takes an idle daemon's place, by itself, and loses nothing. */
import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { identityOf, isAlive } from "../../src/base/identity.ts";
import { version } from "../../src/base/version.ts";
import { until } from "../daemon/rig.ts";
import { binary, dispatchRig, type Rig } from "../support/dispatch.ts";
import { buildAs } from "../support/dispatch-build.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

const root = resolve(import.meta.dir, "../..");
/** What the two disagree on. */
const changed = ["thread.list", "message.send", "thread.forget"];
const newer = "999.0.0";

let folder = "";
let rig: Rig;
beforeAll(async () => {
  folder = mkdtempSync(join(root, ".scratch/renew-"));
  await buildAs(newer, join(folder, "dispatch"), changed);
  rig = dispatchRig();
});
afterAll(async () => {
  await rig.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** A command of the newer program. */
async function newly(...args: string[]) {
  const child = Bun.spawn([join(folder, "dispatch"), ...args], {
    env: rig.env,
    cwd: rig.codex.cwd,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const { error } = code === 0 ? { error: undefined } : JSON.parse(stderr);
  return { code, json: stdout === "" ? undefined : JSON.parse(stdout), error };
}

const runningVersion = async () => (await rig.ask(["daemon", "status"])).version;

/** Each test begins with the older daemon. */
beforeEach(async () => {
  await rig.ask(["down", "--force"]);
  await rig.ask(["up"]);
  expect(await runningVersion()).toBe(version);
});

test("a send of the newer program restarts the idle daemon and is delivered once", async () => {
  const { ref } = await rig.thread("docs", "hello");
  const old = await rig.pids();
  const sent = await newly("send", ref, "and again", "--wait", "--timeout", "30");
  expect(sent).toMatchObject({ code: 0, json: { state: "done", outcome: "completed" } });
  expect(await runningVersion()).toBe(newer);
  expect((await rig.pids()).daemon).not.toBe(old.daemon);
  const { items } = await rig.ask(["tail", ref]);
  const said = items.filter((item: { type: string }) => item.type === "user_message");
  expect(said.map((item: { text: string }) => item.text)).toEqual(["hello", "and again"]);
  // Of what is the same in both, each goes on answering the other.
  expect((await rig.ask(["get", ref])).ref).toBe(ref);
});

test("the older program never takes the newer daemon's place", async () => {
  expect(await newly("list")).toMatchObject({ code: 0 });
  const { daemon } = await rig.pids();
  const error = await rig.refused(["list"]);
  expect(error).toMatchObject({ code: "stale", data: { version, daemon_version: newer } });
  expect((await rig.pids()).daemon).toBe(daemon);
});

test("a daemon with a running turn stays, the turn goes on, and the error names it and the way", async () => {
  const { ref } = await rig.ask([
    "new",
    "--name",
    "busy",
    "--text",
    stringify([{ wait: "go" }, { say: "done" }]),
  ]);
  const { daemon } = await rig.pids();
  const { code, error } = await newly("list");
  expect([code, error.code]).toEqual([18, "stale"]);
  expect(error.message).toContain(`${ref} "busy"`);
  expect(error.hint).toContain("dispatch down --force && dispatch up");
  expect((await rig.pids()).daemon).toBe(daemon);
  rig.provider.release("go");
  await rig.ask(["wait", ref, "--timeout", "30"]);
  expect(await newly("list")).toMatchObject({ code: 0 });
  expect(await runningVersion()).toBe(newer);
});

test("who waits for an answer of the older daemon is not cut off", async () => {
  const { cursor } = await rig.ask(["daemon", "status"]);
  const following = rig.stream(["watch", "--all", "--follow", "--since", cursor]);
  await rig.ask(["new", "--name", "seen"]);
  await following.row("the new thread", (row) => row.kind === "thread.created");
  const { code, error } = await newly("list");
  expect(code).toBe(18);
  expect(error.message).toContain("another command waits for its answer");
  following.signal("SIGINT");
  expect((await following.ended()).code).toBe(0);
  expect(await newly("list")).toMatchObject({ code: 0 });
});

test("up --replace waits for the turn, says for which, and the newer daemon goes on with the queue", async () => {
  const { ref } = await rig.ask([
    "new",
    "--name",
    "long",
    "--text",
    stringify([{ wait: "handed over" }, { say: "done" }]),
  ]);
  await rig.provider.reached("handed over");
  await rig.ask(["send", ref, "after it", "--queue"]);
  const old = (await rig.pids()).daemon;
  const early = await newly("up", "--replace", "--timeout", "1");
  expect([early.code, early.error.code]).toEqual([14, "timeout"]);
  expect(early.error.message).toContain(`${ref} "long"`);
  expect(early.error.hint).toContain("--force");
  expect((await rig.pids()).daemon).toBe(old);

  const replacing = newly("up", "--replace", "--timeout", "30");
  rig.provider.release("handed over");
  const { code, json } = await replacing;
  expect({ code, json }).toMatchObject({
    code: 0,
    json: { status: "replaced", version: newer, replaced: { pid: old, version } },
  });
  expect(await runningVersion()).toBe(newer);
  const { items } = await rig.ask(["tail", ref]);
  expect(items.map((item: { text: string }) => item.text)).toContain("done");
  await newly("wait", ref, "--timeout", "30");
  const texts = (await rig.ask(["tail", ref])).items
    .filter((item: { type: string }) => item.type === "user_message")
    .map((item: { text: string }) => item.text);
  expect(texts.filter((text: string) => text === "after it")).toHaveLength(1);
});

test("up --replace does not cut off a command that waits for its answer", async () => {
  const { ref } = await rig.thread("idle one", "hello");
  const following = rig.stream(["watch", "--all", "--follow"]);
  await rig.ask(["send", ref, "again", "--wait"]);
  await following.row("an event", () => true);
  const early = await newly("up", "--replace", "--timeout", "1");
  expect(early).toMatchObject({ code: 14, error: { code: "timeout" } });
  expect(early.error.message).toContain("another command waits for its answer");
  following.signal("SIGINT");
  await following.ended();
  expect(await newly("up", "--replace")).toMatchObject({ code: 0, json: { status: "replaced" } });
});

test("up --replace --force interrupts the turn", async () => {
  const { ref } = await rig.ask([
    "new",
    "--name",
    "cut",
    "--text",
    stringify([{ wait: "never" }, { say: "no" }]),
  ]);
  await rig.provider.reached("never");
  expect(await newly("up", "--replace", "--force")).toMatchObject({
    code: 0,
    json: { status: "replaced", version: newer },
  });
  await newly("wait", ref, "--for", "idle", "--timeout", "30");
  expect((await newly("get", ref)).json.latest_turn.status).not.toBe("in_progress");
});

test("up --replace leaves a daemon of this program alone, and the older program refuses", async () => {
  const { daemon } = await rig.pids();
  expect(await rig.ask(["up", "--replace"])).toMatchObject({ status: "already_running", replaced: null });
  expect((await rig.pids()).daemon).toBe(daemon);
  await newly("up", "--replace");
  const error = await rig.refused(["up", "--replace"]);
  expect(error).toMatchObject({ code: "stale", data: { version, daemon_version: newer } });
});

test("an MCP server whose file an upgrade removed starts the daemon on PATH, and without one says what is wrong", async () => {
  const { ref } = await rig.thread("outlives", "hello");
  const [old, bin] = [join(folder, "old/dispatch"), join(folder, "bin")];
  mkdirSync(dirname(old));
  mkdirSync(bin);
  cpSync(binary, old);
  const client = new Client({ name: "test", version: "0" });
  const env = { ...rig.env, PATH: `${bin}:/usr/bin:/bin` };
  await client.connect(new StdioClientTransport({ command: old, args: ["mcp"], env, cwd: rig.codex.cwd }));
  const read = (op: string, more = {}) =>
    client.callTool({
      name: `dispatch_${op === "doctor" ? "daemon" : "thread"}_read`,
      arguments: { op, ...more },
    });
  try {
    expect((await read("get", { thread: ref })).isError).toBeFalsy();
    rmSync(old);
    const daemon = identityOf((await rig.pids()).daemon)!;
    process.kill(daemon.pid, "SIGTERM");
    await until(() => !isAlive(daemon), "the daemon's end");
    const missing = JSON.stringify(await read("get", { thread: ref }));
    expect(missing).toContain(`${old} was removed, and no dispatchd is on PATH`);
    expect(JSON.stringify(await read("doctor", { app_server: false }))).toContain(
      `${old}, which this dispatch runs, was removed`,
    );

    for (const name of ["dispatch", "dispatchd"]) symlinkSync(join(folder, "dispatch"), join(bin, name));
    expect(await read("get", { thread: ref })).toMatchObject({ structuredContent: { ref } });
    expect(await runningVersion()).toBe(newer);
    // What the two disagree on needs the newer server.
    expect(JSON.stringify(await read("list"))).toContain("restart the program that started this MCP server");
  } finally {
    await client.close();
  }
});
