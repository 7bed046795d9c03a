/** `doctor` on homes that are well and on homes that are not: each fault is found by the check that is named for it. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
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
  well = { PATH: `${dirname(binary)}:${rig.env["PATH"]}` };
  // A login: only its presence is looked at, and the provider of these tests asks for none.
  writeFileSync(join(rig.codex.home, "auth.json"), '{"OPENAI_API_KEY":"not-a-key"}', { mode: 0o600 });
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

const named = (whole: { checks: { name: string }[] }, name: string) =>
  whole.checks.find((check) => check.name === name) as unknown as Record<string, string> & {
    fixed: string[];
  };

describe("a Codex that cannot work fails app_server, in its own words where it has some", () => {
  const folder = (name: string) => {
    const path = join(dirname(rig.codex.home), name);
    mkdirSync(path);
    return path;
  };

  test("not there at all", async () => {
    const found = await examined({ env: { DISPATCH_CODEX: undefined, PATH: "/usr/bin:/bin" } });
    expect(found).toMatchObject({ code: 8, failed: ["codex", "app_server"] });
    expect(named(found.whole, "codex")["recovery"]).toContain("npm install -g @openai/codex");
    const other = await examined({ env: { DISPATCH_CODEX: "/no/such/codex" } });
    expect(named(other.whole, "codex")).toMatchObject({
      summary: expect.stringContaining("/no/such/codex"),
      recovery: expect.stringContaining("DISPATCH_CODEX"),
    });
  });

  test("the one that the configuration names is the one that is tried", async () => {
    const home = homeCalled("named");
    writeFileSync(join(home, "config.toml"), '[app_server]\ncommand = "/no/such/codex"\n');
    const found = await examined({ env: { DISPATCH_HOME: home, DISPATCH_CODEX: undefined } });
    expect(found.failed).toEqual(["codex", "app_server"]);
    expect(named(found.whole, "codex")["summary"]).toContain("/no/such/codex, named by [app_server] command");
  });

  test("with a configuration that it cannot read: it starts, and opens no thread", async () => {
    const broken = folder("broken");
    writeFileSync(join(broken, "config.toml"), 'model = "m"\nsandbox_mode = [\n');
    const found = await examined({ env: { CODEX_HOME: broken, DISPATCH_HOME: homeCalled("other-1") } });
    expect(found).toMatchObject({ code: 8, failed: ["app_server"] });
    expect(named(found.whole, "app_server")).toMatchObject({
      summary: expect.stringContaining(`${broken}/config.toml:2`),
      recovery: `correct ${broken}/config.toml:2 and try again`,
    });
  });

  test("with a home that is not there, which --fix does not make up", async () => {
    const missing = join(dirname(rig.codex.home), "missing");
    const env = { CODEX_HOME: missing, DISPATCH_HOME: homeCalled("other-2") };
    const found = await examined({ env }, "--fix");
    expect(found).toMatchObject({ code: 8, failed: ["auth", "app_server"] });
    expect(named(found.whole, "app_server")["summary"]).toContain(missing);
    expect(existsSync(missing)).toBe(false);
  });

  test("with another home than the registry's", async () => {
    const found = await examined({ env: { CODEX_HOME: folder("elsewhere") } });
    expect(found.failed).toEqual(["app_server"]);
    const { summary, recovery } = named(found.whole, "app_server");
    expect(summary).toContain(rig.codex.home);
    expect(recovery).toContain(`CODEX_HOME=${rig.codex.home}`);
  });
});

test("a home with everything wrong that can be put right is well after one --fix, and keeps its registry", async () => {
  const home = homeCalled("wrecked");
  const env = { DISPATCH_HOME: home };
  await rig.ask(["up"], { env });
  const { pid } = await rig.ask(["daemon", "status"], { env });
  process.kill(pid, "SIGKILL");
  await until(() => identityOf(pid)?.zombie !== false, "the daemon's end");
  const left = join(home, "registry.db.backup.20260101T000000000Z.0123abcd.partial");
  writeFileSync(left, "half of it");
  utimesSync(left, 1, 1);
  for (const name of ["registry.db", "registry.db.lock"]) chmodSync(join(home, name), 0o644);
  chmodSync(home, 0o755);
  const found = await examined({ env }, "--no-app-server");
  expect(found).toMatchObject({ code: 8, failed: ["home", "socket", "registry"] });
  const fixed = await examined({ env }, "--no-app-server", "--fix");
  expect(fixed.whole.checks.flatMap((check: { fixed: string[] }) => check.fixed)).toHaveLength(5);
  (await outputSchemas(rig)).fits("doctor", fixed.whole);
  expect(await examined({ env }, "--no-app-server")).toMatchObject({ code: 0, status: "ok" });
  expect(await rig.ask(["list"], { env })).toEqual({ threads: [], truncated: false, next_cursor: null });
  await rig.ask(["down"], { env });
});

test("on a terminal it names the fault, the way out, and what --fix would put right", async () => {
  const home = homeCalled("seen");
  chmodSync(home, 0o755);
  const { text, code } = await rig.screen(["doctor", "--no-app-server"], {
    env: { ...well, DISPATCH_HOME: home },
  });
  expect(code).toBe(8);
  expect(text).toContain("-> chmod 700");
  expect(text).toContain("dispatch doctor --fix repairs: home");
  const after = await rig.screen(["doctor", "--no-app-server", "--fix"], {
    env: { ...well, DISPATCH_HOME: home },
  });
  expect(after.text).toMatch(/fixed: changed the mode of .* from 0755 to 0700/);
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
