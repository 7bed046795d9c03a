/** The daemon's bad days: killed, raced, in the wrong place, spoken to in tongues, out of disk. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { identityOf, isAlive } from "../../src/base/identity.ts";
import { connect, until } from "../daemon/rig.ts";
import { dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;

beforeAll(async () => {
  rig = dispatchRig({ homeName: "höme 日本 with blanks" });
});

afterAll(() => rig.dispose());

/** The processes that were started for this home, by what their environment says. */
function processesOf(home: string): { daemons: number; children: number } {
  const lines = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        const env = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
        return env.includes(`DISPATCH_HOME=${home}`) ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : "";
      } catch {
        // It ended while it was looked at, or is not ours to read.
        return "";
      }
    });
  const count = (word: string) => lines.filter((line) => line.split("\0").includes(word)).length;
  return { daemons: count("__daemon"), children: count("app-server") };
}

/** Connections that are open at a process right now. */
function socketsOf(pid: number): string[] {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      // Closed while it was looked at.
      return "";
    }
  });
  return links.filter((link) => link.startsWith("socket:"));
}

test("of twenty up at once each succeeds, with one daemon and one child", async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => rig.run(["up"])));
  expect(all.map(({ code, stderr }) => ({ code, stderr }))).toEqual(Array(20).fill({ code: 0, stderr: "" }));
  expect(new Set(all.map((ran) => ran.json.pid)).size).toBe(1);
  expect(all.filter((ran) => ran.json.status === "started")).toHaveLength(1);
  await rig.thread("docs", "hello");
  if (process.platform === "linux") expect(processesOf(rig.home)).toEqual({ daemons: 1, children: 1 });
});

test("a home with blanks and letters of any kind works", async () => {
  expect(await rig.ask(["send", "@docs", "hi", "--wait"])).toMatchObject({ last_message: "ok: hi" });
});

test("after kill -9 of the daemon the next command works, and nothing of the old one is left", async () => {
  const { daemon, child } = await rig.pids();
  const old = [daemon, child!].map((pid) => identityOf(pid)!);
  process.kill(daemon, "SIGKILL");
  await until(() => !isAlive(old[0]!), "the daemon's end");
  expect(existsSync(join(rig.home, "dispatch.sock"))).toBe(true);
  expect((await rig.ask(["list"])).threads).toHaveLength(1);
  expect(await rig.ask(["send", "@docs", "still there?", "--wait"])).toMatchObject({
    last_message: "ok: still there?",
  });
  expect((await rig.pids()).daemon).not.toBe(daemon);
  await until(() => !isAlive(old[1]!), "the old child's end");
});

test("a turn that ran when the daemon was killed is interrupted, and its text was said once", async () => {
  const text = stringify([{ wait: "never" }, { say: "never" }]);
  const { receipt } = await rig.ask(["send", "@docs", text]);
  await rig.provider.reached("never");
  process.kill((await rig.pids()).daemon, "SIGKILL");
  const waited = await rig.run(["wait", receipt, "--timeout", "30"]);
  expect(waited.code).toBe(8);
  expect(await rig.ask(["receipt", "get", receipt])).toMatchObject({ state: "done", outcome: "interrupted" });
  const { items } = await rig.ask(["tail", "@docs"]);
  expect(items.filter((item: Json) => item["text"] === text)).toHaveLength(1);
  expect(await rig.ask(["send", "@docs", "go on", "--wait"])).toMatchObject({ verdict: "ok" });
});

test("a client that waits when the daemon is killed goes on with the next one", async () => {
  const text = stringify([{ wait: "patience" }, { say: "never" }]);
  await rig.ask(["send", "@docs", text]);
  await rig.provider.reached("patience");
  const { daemon } = await rig.pids();
  // By name and not by number: the connections of the commands before may still be closing.
  const before = socketsOf(daemon);
  const waiting = rig.run(["wait", "@docs", "--timeout", "30"]);
  await until(
    () => socketsOf(daemon).some((socket) => !before.includes(socket)),
    "the waiting client is connected",
  );
  process.kill(daemon, "SIGKILL");
  expect(await waiting).toMatchObject({ code: 8, stderr: "" });
});

test("a daemon that hangs is named by down, and ended by down --force", async () => {
  const { daemon } = await rig.pids();
  process.kill(daemon, "SIGSTOP");
  expect(await rig.refused(["down", "--wait", "0.1"])).toMatchObject({
    code: "timeout",
    message: expect.stringContaining(`(pid ${daemon})`),
    hint: "dispatch down --force",
  });
  expect(await rig.ask(["down", "--force", "--wait", "0.1"])).toEqual({ status: "stopped", pid: daemon });
  await until(() => processesOf(rig.home).children === 0, "the end of its Codex");
  await rig.ask(["up"]);
  expect(await rig.ask(["send", "@docs", "again", "--wait"])).toMatchObject({ last_message: "ok: again" });
});

test("with another DISPATCH_SOCKET than its daemon a command names the right one, and ends nothing", async () => {
  const { daemon } = await rig.pids();
  const env = { DISPATCH_SOCKET: join(rig.home, "other.sock") };
  for (const args of [["list"], ["up"], ["down", "--force", "--wait", "0"]])
    expect(await rig.refused(args, { env })).toMatchObject({
      code: "conflict",
      hint: `set DISPATCH_SOCKET to ${join(rig.home, "dispatch.sock")}`,
    });
  expect((await rig.pids()).daemon).toBe(daemon);
});

test("--no-start and DISPATCH_NO_START start nothing; a stopped daemon stays stopped", async () => {
  const home = join(rig.home, "other");
  const elsewhere = { env: { DISPATCH_HOME: home } };
  expect(await rig.refused(["list", "--no-start"], elsewhere)).toMatchObject({
    code: "daemon_down",
    hint: "dispatch up",
  });
  const forbidden = { env: { DISPATCH_HOME: home, DISPATCH_NO_START: "1" } };
  expect((await rig.refused(["list"], forbidden)).code).toBe("daemon_down");
  expect(existsSync(home)).toBe(false);
  for (const command of [
    ["daemon", "status"],
    ["daemon", "log"],
    ["daemon", "retry"],
  ])
    expect((await rig.refused(command, elsewhere)).code).toBe("daemon_down");
  expect(await rig.ask(["down"], elsewhere)).toMatchObject({ status: "not_running" });
  expect((await rig.refused(["list"], elsewhere)).message).toContain("stopped");
});

test("a regular file where the socket belongs is named and kept", async () => {
  const home = join(rig.home, "occupied");
  mkdirSync(home, { mode: 0o700 });
  const file = join(home, "dispatch.sock");
  writeFileSync(file, "mine");
  const error = await rig.refused(["up"], { env: { DISPATCH_HOME: home } });
  expect(error.message).toContain(file);
  expect(error.code).not.toBe("internal");
  expect(readFileSync(file, "utf8")).toBe("mine");
});

test("a lock file and a socket that a dead daemon left are no obstacle", async () => {
  await rig.ask(["down"]);
  writeFileSync(join(rig.home, "registry.db.lock"), "{ half an identit");
  writeFileSync(join(rig.home, "start.lock"), "");
  expect(await rig.ask(["up"])).toMatchObject({ status: "started" });
});

describe("on the socket", () => {
  test("malformed, oversized and hostile frames are answered, and the daemon serves on", async () => {
    const client = await connect(join(rig.home, "dispatch.sock"));
    client.raw("this is no JSON\n");
    expect((await client.ended(null)).error).toMatchObject({ code: "usage" });
    client.raw('[1,2]\n{"id":"x"}\n{"id":1.5,"op":"thread.list"}\n\n{"__proto__":{"a":1}}\n');
    client.raw(`${" ".repeat(9 * 1024 * 1024)}\n`);
    await until(
      () => client.frames.some((frame) => (frame["error"] as Json | undefined)?.["code"] === "too_large"),
      "too_large",
    );
    client.call(7, "daemon.status");
    expect((await client.ended(7)).result).toMatchObject({ pid: (await rig.pids()).daemon });
    client.close();
  });

  test("an op that is none, and one that is the client's, are refused", async () => {
    const client = await connect(join(rig.home, "dispatch.sock"));
    for (const [id, op] of [
      [1, "toString"],
      [2, "daemon.up"],
      [3, "thread.explode"],
    ] as const) {
      client.call(id, op);
      expect((await client.ended(id)).error!.code).not.toBe("internal");
    }
    client.close();
  });
});

describe("out of disk", () => {
  const why = mountable();
  if (why) console.warn(`skipped, a disk of a size of its own is needed: ${why}`);

  test.skipIf(why !== null)(
    "nothing is accepted, all that is stored is read, and space back heals it",
    async () => {
      const disk = join(rig.home, "disk");
      mkdirSync(disk);
      mount(disk);
      const small = { env: { DISPATCH_HOME: join(disk, "home") } };
      try {
        await rig.ask(["new", "--name", "on a small disk", "--text", "hello"], small);
        await rig.ask(["wait", "@on-a-small-disk", "--timeout", "20"], small);
        const ballast = join(disk, "ballast");
        fill(ballast);
        const refused = await rig.refused(["send", "@on-a-small-disk", "-"], {
          ...small,
          stdin: "x".repeat(200_000),
        });
        expect(refused).toMatchObject({ code: "storage", retry: "later" });
        expect((await rig.ask(["get", "@on-a-small-disk"], small)).status).toBe("idle");
        expect((await rig.ask(["daemon", "status"], small)).queue).toEqual({ queued: 0, unsure: 0 });
        rmSync(ballast);
        expect(await rig.ask(["send", "@on-a-small-disk", "room?", "--wait"], small)).toMatchObject({
          verdict: "ok",
          last_message: "ok: room?",
        });
        const { items } = await rig.ask(["tail", "@on-a-small-disk"], small);
        expect(items.filter((item: Json) => item["type"] === "user_message")).toHaveLength(2);
      } finally {
        await rig.run(["down", "--force"], small);
        Bun.spawnSync(["umount", "-l", disk]);
      }
    },
  );
});

function mountable(): string | null {
  if (process.platform !== "linux") return "it is made with Linux's tmpfs";
  if (process.getuid?.() !== 0) return "only root may mount one";
  const probe = Bun.spawnSync([
    "sh",
    "-c",
    "d=$(mktemp -d) && mount -t tmpfs none $d && umount $d && rmdir $d",
  ]);
  return probe.success ? null : probe.stderr.toString().trim();
}

function mount(folder: string): void {
  const done = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=6m,mode=700", "none", folder]);
  if (!done.success) throw new Error(done.stderr.toString());
}

function fill(path: string): void {
  const done = Bun.spawnSync(["dd", "if=/dev/zero", `of=${path}`, "bs=4096"]);
  if (!done.stderr.toString().includes("No space left")) throw new Error(done.stderr.toString());
}
