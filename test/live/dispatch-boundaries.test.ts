/** What once ended the daemon, done to the compiled product: it lives, and says what happened. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { limits } from "../../src/base/limits.ts";
import { index } from "../../src/ops/index.ts";
import { connect } from "../daemon/rig.ts";
import { dispatchRig, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;

beforeAll(async () => {
  rig = dispatchRig();
  await rig.thread("docs", "hello");
});

afterAll(() => rig.dispose());

test("a line of Codex that no frame holds is a mark for who watches, and cuts nobody's turn", async () => {
  await rig.ask(["new", "--name", "other", "--text", stringify([{ wait: "other" }, { say: "done" }])]);
  await rig.provider.reached("other");
  const before = await rig.pids();
  const streams = ["--raw", "--deltas"].map((flag) => rig.stream(["watch", "@docs", "--follow", flag]));
  // Each has its tap once it saw a turn begin.
  await rig.ask(["send", "@docs", "first", "--wait"]);
  for (const { row } of streams) await row("a sign", () => true);
  const text = stringify([{ say: "x".repeat(1000), repeat: limits.socket.frameBytesMax / 1000 + 1 }]);
  await rig.ask(["send", "@docs", text, "--wait"]);
  for (const { row } of streams) {
    const mark = await row("a mark", (one) => one.omitted_bytes > limits.socket.frameBytesMax);
    expect(JSON.stringify(mark).length).toBeLessThan(500);
  }
  await rig.ask(["send", "@docs", "last", "--wait"]);
  for (const { row, signal, ended } of streams) {
    await row("what came after", (one) => JSON.stringify(one).includes("ok: last"));
    signal("SIGINT");
    expect(await ended()).toEqual({ code: 0, stderr: "" });
  }
  expect(await rig.pids()).toEqual(before);
  rig.provider.release("other");
  expect((await rig.ask(["wait", "@other"])).verdict).toBe("ok");
});

test("a path, a name, an id of 4 MB in any read is refused in few words, and the daemon lives", async () => {
  const before = await rig.pids();
  const client = await connect(join(rig.home, "dispatch.sock"));
  const long = `/${"x".repeat(4 * 1024 * 1024)}`;
  const caller = { kind: "cli", thread_id: null, cwd: "/" };
  let id = 0;
  for (const row of index.filter(({ at, frozen }) => at !== "client" && !frozen))
    for (const field of ["thread", "cwd", "dir", "id", "text", "rules"]) {
      client.say({ id: ++id, op: row.name, schema: row.hash, input: { [field]: long }, caller });
      const { error } = await client.ended(id);
      expect(["usage", "too_large"]).toContain(error?.code as string);
      expect(JSON.stringify(error).length).toBeLessThan(3 * limits.error.charsMax);
    }
  client.close();
  expect(await rig.pids()).toEqual(before);
});

test("a stream ends with 10 and the next command when the daemon is stopped, or killed, under it", async () => {
  const following = rig.stream(["watch", "--all", "--follow"]);
  await rig.ask(["send", "@docs", "hello", "--wait"]);
  await following.row("a row", () => true);
  await rig.ask(["down", "--force"]);
  const { code, stderr } = await following.ended();
  expect({ code, ...JSON.parse(stderr).error }).toMatchObject({ code: "daemon_down", hint: "dispatch up" });
  expect(code).toBe(10);
  await rig.ask(["up"]);
  expect((await rig.ask(["daemon", "status"])).previous).toMatchObject({ clean: true });
  const { daemon } = await rig.pids();
  const cut = rig.stream(["watch", "--all", "--follow"]);
  await rig.ask(["send", "@docs", "hello", "--wait"]);
  await cut.row("a row", () => true);
  process.kill(daemon, "SIGKILL");
  expect(await cut.ended()).toMatchObject({
    code: 10,
    stderr: expect.stringContaining("the connection to the daemon was lost"),
  });
  expect((await rig.ask(["list"])).threads).not.toEqual([]);
  expect((await rig.ask(["daemon", "status"])).previous).toMatchObject({
    clean: false,
    last_seen_at: expect.any(String),
  });
});
