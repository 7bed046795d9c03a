/** `doctor` on homes that are well and on homes that are not: each fault is found by the check that is named for it. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { identityOf } from "../../src/base/identity.ts";
import { until } from "../daemon/rig.ts";
import { binary, dispatchRig, type More, type Rig } from "../support/dispatch.ts";
import { outputSchemas } from "../support/dispatch-schema.ts";

setDefaultTimeout(60_000);

let rig: Rig;
let well: Record<string, string>;

beforeAll(() => {
  rig = dispatchRig();
  // A key stands for a login: only its presence is looked at.
  well = { PATH: `${dirname(binary)}:${rig.env["PATH"]}`, OPENAI_API_KEY: "not-a-key" };
});

afterAll(() => rig.dispose());

async function examined(more: More = {}, ...flags: string[]) {
  const { code, json } = await rig.run(["doctor", ...flags], { ...more, env: { ...well, ...more.env } });
  const by = (status: string) =>
    json.checks
      .filter((check: { status: string }) => check.status === status)
      .map((check: { name: string }) => check.name);
  return { code, status: json.status, failed: by("fail"), warned: by("warn"), whole: json };
}

function homeCalled(name: string): string {
  const home = join(dirname(rig.home), name);
  mkdirSync(home, { mode: 0o700 });
  return home;
}

test("with nothing there yet nothing fails, nothing is made and no daemon is started", async () => {
  const { code, failed, whole } = await examined();
  expect({ code, failed }).toEqual({ code: 0, failed: [] });
  (await outputSchemas(rig)).fits("doctor", whole);
  expect(existsSync(join(rig.home, "dispatch.sock"))).toBe(false);
});

test("with a daemon that is well all is ok, and every check has run", async () => {
  await rig.thread("docs", "hello");
  const { code, status, whole } = await examined();
  expect({ code, status }).toEqual({ code: 0, status: "ok" });
  expect(whole.checks.map((check: { name: string }) => check.name)).toEqual(
    expect.arrayContaining(["path", "home", "socket", "daemon", "registry", "codex", "auth", "app_server"]),
  );
});

test("--no-app-server skips what starts a Codex of its own", async () => {
  const { code, whole } = await examined({}, "--no-app-server");
  expect(code).toBe(0);
  expect(whole.checks.find((check: { name: string }) => check.name === "app_server").status).toBe("skipped");
});

test("a home that others can read fails its check, and --fix closes it", async () => {
  const home = homeCalled("open");
  chmodSync(home, 0o755);
  const found = await examined({ env: { DISPATCH_HOME: home } }, "--no-app-server");
  expect(found).toMatchObject({ code: 8, status: "fail" });
  expect(found.failed).toContain("home");
  const fixed = await examined({ env: { DISPATCH_HOME: home } }, "--no-app-server", "--fix");
  expect(fixed.code).toBe(0);
  expect(statSync(home).mode & 0o777).toBe(0o700);
});

test("a regular file where the socket belongs fails the socket, and stays", async () => {
  const home = homeCalled("occupied");
  writeFileSync(join(home, "dispatch.sock"), "mine");
  const found = await examined({ env: { DISPATCH_HOME: home } }, "--no-app-server", "--fix");
  expect(found).toMatchObject({ code: 8, failed: ["socket"] });
  expect(existsSync(join(home, "dispatch.sock"))).toBe(true);
});

test("a registry that is none fails the registry, and is not replaced by a clean one", async () => {
  const home = homeCalled("damaged");
  const file = join(home, "registry.db");
  writeFileSync(file, "this was a registry once".repeat(400), { mode: 0o600 });
  const env = { DISPATCH_HOME: home };
  expect(await examined({ env }, "--no-app-server")).toMatchObject({ code: 8, failed: ["registry"] });
  // A daemon that ends so early may be gone before it has heard who asks: then only that is told.
  await until(async () => (await rig.refused(["list"], { env })).code === "storage", "storage");
  expect(await Bun.file(file).text()).toStartWith("this was a registry once");
});

test("a Codex that is none fails its check", async () => {
  const found = await examined({ env: { DISPATCH_CODEX: "/bin/false" } });
  expect(found).toMatchObject({ code: 8, failed: ["codex", "app_server"] });
});

test("what a daemon that was killed left behind is a warning, which --fix takes away", async () => {
  const { daemon } = await rig.pids();
  process.kill(daemon, "SIGKILL");
  await until(() => identityOf(daemon)?.zombie !== false, "the daemon's end");
  const found = await examined({}, "--no-app-server");
  expect(found.failed).toEqual([]);
  expect(found.warned).toEqual(["socket"]);
  expect((await examined({}, "--no-app-server", "--fix")).status).toBe("ok");
  expect(existsSync(join(rig.home, "dispatch.sock"))).toBe(false);
  expect((await rig.ask(["list"])).threads).toHaveLength(1);
});

test("schema takes a command as it is spelled, its flags and all", async () => {
  const rig = dispatchRig();
  try {
    expect(await rig.ask(["schema", "list", "--unmanaged"])).toMatchObject({
      command: "list",
      op: "thread.list",
    });
    expect(await rig.ask(["schema", "queue", "list"])).toMatchObject({ op: "queue.list" });
    expect((await rig.refused(["schema", "nope"])).code).toBe("not_found");
  } finally {
    await rig.dispose();
  }
});
