/** The daemon as a service, by a stand-in for systemctl that starts it with nothing but what the unit says. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { codexExecutable } from "../support/codex.ts";
import { binary, dispatchRig, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;
let folder = "";
let unit = "";
/** As a shell of the user has it: Codex on PATH, and no other way to find it. */
let more: { env: Record<string, string | undefined> };

beforeAll(() => {
  rig = dispatchRig({ homeName: 'odd %h $x "q"' });
  folder = join(dirname(rig.home), "systemd");
  unit = join(rig.env["HOME"]!, ".config/systemd/user/dispatch.service");
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const fake = resolve(import.meta.dir, "../support/systemctl-fake.ts");
  writeFileSync(
    join(bin, "systemctl"),
    `#!/bin/sh\nexec '${process.execPath}' '${fake}' '${folder}' "$@"\n`,
    { mode: 0o755 },
  );
  symlinkSync(codexExecutable(), join(bin, "codex"));
  more = { env: { PATH: `${bin}:${dirname(binary)}:/usr/bin:/bin`, DISPATCH_CODEX: undefined } };
});
afterAll(() => rig.dispose());

const calls = () => readFileSync(join(folder, "calls"), "utf8").trim().split("\n");

test("a dry run shows the unit and its commands, and writes nothing", async () => {
  const shown = await rig.ask(["service", "install", "--dry-run"], more);
  expect(shown).toMatchObject({ state: "absent", manager: "systemd", file: unit });
  expect(shown.text).toContain("[Service]");
  expect(shown.commands).toEqual([
    "systemctl --user daemon-reload",
    "systemctl --user enable dispatch.service",
    "systemctl --user start dispatch.service",
  ]);
  expect([existsSync(unit), existsSync(join(folder, "calls"))]).toEqual([false, false]);
});

test("the service starts with the unit's environment alone, finds Codex, and does a turn", async () => {
  const installed = await rig.ask(["service", "install"], more);
  expect(installed).toMatchObject({ state: "installed", enabled: true, next: null });
  expect(installed.pid).toBe(installed.daemon_pid);
  expect((await rig.pids()).daemon).toBe(installed.pid);
  // It holds an environment.
  expect(statSync(unit).mode & 0o777).toBe(0o600);
  const { latest_turn, cwd } = await rig.thread("by the service", "hello");
  expect({ latest_turn, cwd }).toMatchObject({ latest_turn: { status: "completed" }, cwd: rig.codex.cwd });
  const { checks } = await rig.ask(["doctor", "--no-app-server"], more);
  expect(checks.find(({ name }: { name: string }) => name === "service")).toMatchObject({ status: "ok" });
});

test("a second install changes nothing and starts nothing", async () => {
  const before = await rig.pids();
  const text = readFileSync(unit, "utf8");
  const again = await rig.ask(["service", "install"], more);
  expect(again).toMatchObject({ state: "installed", enabled: true, pid: before.daemon });
  expect(readFileSync(unit, "utf8")).toBe(text);
  expect(calls().filter((call) => call.startsWith("start "))).toHaveLength(1);
});

test("after down, up lets the service start the daemon", async () => {
  await rig.ask(["down"], more);
  expect(await rig.ask(["service", "status"], more)).toMatchObject({ pid: null, daemon_pid: null });
  const started = await rig.ask(["up"], more);
  expect(started.status).toBe("started");
  const { pid, daemon_pid } = await rig.ask(["service", "status"], more);
  expect([pid, daemon_pid]).toEqual([started.pid, started.pid]);
});

test("the service of another home is not replaced", async () => {
  const home = join(dirname(rig.home), "other");
  const error = await rig.refused(["service", "install", "--home", home], more);
  expect(error).toMatchObject({ code: "conflict" });
  expect(error.message).toContain(rig.home);
});

test("a service whose Codex is gone is reported with the way out", async () => {
  const none = { env: { ...more.env, PATH: `${join(folder, "none")}:/usr/bin:/bin` } };
  const error = await rig.refused(["service", "install"], none);
  expect(error.code).toBe("not_found");
  const codex = join(folder, "bin/codex");
  const moved = Bun.spawnSync(["mv", codex, `${codex}.away`]);
  expect(moved.exitCode).toBe(0);
  expect(await rig.ask(["service", "status"], more)).toMatchObject({
    state: "broken",
    next: "dispatch service install",
  });
  const { checks } = await rig.ask(["doctor", "--no-app-server"], {
    ...more,
    env: { ...more.env, DISPATCH_CODEX: codexExecutable() },
  });
  expect(checks.find(({ name }: { name: string }) => name === "service")).toMatchObject({
    status: "warn",
    recovery: "dispatch service install",
  });
  Bun.spawnSync(["mv", `${codex}.away`, codex]);
});

test("remove is refused while a turn runs, and then undoes everything", async () => {
  const { ref } = await rig.ask([
    "new",
    "--name",
    "busy",
    "--text",
    stringify([{ wait: "go" }, { say: "done" }]),
  ]);
  await rig.provider.reached("go");
  const error = await rig.refused(["service", "remove"], more);
  expect(error.code).toBe("thread_busy");
  expect(existsSync(unit)).toBe(true);
  rig.provider.release("go");
  await rig.ask(["wait", ref, "--timeout", "30"]);
  expect(await rig.ask(["service", "remove"], more)).toMatchObject({ state: "absent", daemon_pid: null });
  expect([existsSync(unit), existsSync(join(folder, "enabled"))]).toEqual([false, false]);
  expect(await rig.ask(["service", "remove"], more)).toMatchObject({ state: "absent", commands: [] });
  // The next command starts a daemon of its own.
  expect((await rig.ask(["get", ref])).ref).toBe(ref);
});
