import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { openLock } from "../../src/base/flock.ts";
import { identityOf } from "../../src/base/identity.ts";
import { type Paths, pathsOf } from "../../src/base/paths.ts";
import { version } from "../../src/base/version.ts";
import { tested } from "../../src/codex/features.ts";
import type { Lane, Ref } from "../../src/core/model/ports/rows.ts";
import type { EffectiveSettings, SandboxDetails } from "../../src/core/model/ports/thread.ts";
import { openControl } from "../../src/daemon/control.ts";
import { runChecks } from "../../src/daemon/doctor.ts";
import type { Check } from "../../src/ops/ctx.ts";
import { openStore } from "../../src/store/store.ts";
import { registryCalled, titleIn } from "../store/files.ts";
import { laneRow } from "../store/rows.ts";
import { hello, memoryLog } from "./rig.ts";

const nothingElse: EffectiveSettings = {
  cwd: "",
  sandbox: null,
  approval_policy: null,
  approvals_reviewer: null,
  permission_profile: null,
  model: null,
  model_provider: null,
  effort: null,
  service_tier: null,
};

/** A home of one's own with a Codex that only knows its version. */
function place(where: { socket?: string; db?: string } = {}) {
  const root = mkdtempSync(join(tmpdir(), "doctor ü "));
  const bin = join(root, "bin");
  const codexHome = join(root, "codex home");
  for (const dir of [bin, codexHome]) mkdirSync(dir, { mode: 0o700 });
  writeFileSync(join(bin, "codex"), `#!/bin/sh\necho codex-cli ${tested.to}\n`, { mode: 0o755 });
  const paths = pathsOf({
    DISPATCH_HOME: join(root, "home"),
    DISPATCH_SOCKET: where.socket && join(root, where.socket),
    DISPATCH_DB: where.db && join(root, where.db),
  });
  mkdirSync(paths.home, { mode: 0o700 });
  const env: Record<string, string> = { PATH: `${bin}:/usr/bin:/bin`, CODEX_HOME: codexHome };
  const ask = async (
    more: { fix?: boolean; app_server?: boolean; timeoutMs?: number; isSandboxed?: boolean } = {},
  ) => {
    const { isSandboxed = false, ...input } = more;
    const checks = await runChecks(
      paths,
      { fix: false, app_server: false, timeoutMs: 5000, ...input },
      { env, isSandboxed, clock: systemClock },
    );
    return Object.fromEntries(checks.map((check) => [check.name, check])) as Record<string, Check>;
  };
  return { paths, env, bin, codexHome, ask };
}

/** Holds the instance lock as a daemon would. */
function instance(paths: Paths) {
  const lock = openLock(paths.lock)!;
  const { pid, start_time, boot_id } = identityOf(process.pid)!;
  lock.write(JSON.stringify({ pid, start_time, boot_id, version }));
  return lock;
}

/** As a daemon that was killed leaves it. */
async function leaveSocket(paths: Paths): Promise<void> {
  const code = `Bun.listen({ unix: ${JSON.stringify(paths.socket)}, socket: { data() {} } }); console.log("up"); await Bun.stdin.text();`;
  const dead = Bun.spawn([process.execPath, "-e", code], { stdin: "pipe", stdout: "pipe" });
  await dead.stdout.getReader().read();
  dead.kill("SIGKILL");
  await dead.exited;
}

test("with no daemon and nothing made yet, nothing fails but what is missing, and nothing is made", async () => {
  const { paths, ask } = place();
  const found = await ask();
  expect(Object.keys(found)).toEqual([
    "path",
    "home",
    "config",
    "socket",
    "daemon",
    "relay",
    "registry",
    "threads",
    "folders",
    "codex",
    "capabilities",
    "auth",
    "plugin",
    "service",
    "app_server",
  ]);
  expect(Object.values(found).filter((check) => check.status === "fail")).toEqual([]);
  expect(found["codex"]).toMatchObject({
    status: "ok",
    summary: `codex-cli ${tested.to}`,
    data: { version: tested.to },
  });
  expect(found["daemon"]).toMatchObject({ status: "ok", data: { running: false } });
  expect(found["registry"]!.status).toBe("skipped");
  for (const path of [paths.lock, paths.db, paths.socket]) expect(existsSync(path)).toBe(false);
});

test("a configuration with a misspelt key fails, with file, line and the right one", async () => {
  const { paths, ask } = place();
  mkdirSync(paths.home, { recursive: true, mode: 0o700 });
  writeFileSync(paths.config, "[policy]\nrelase_after = []\n");
  const found = (await ask())["config"];
  expect(found).toMatchObject({ status: "fail", summary: expect.stringContaining("config.toml:2") });
});

test("a codex that is not there, or does not run, or hangs, fails with how to install it", async () => {
  const { bin, ask } = place();
  const codex = join(bin, "codex");
  writeFileSync(codex, "#!/bin/sh\necho broken\nkill -HUP $$\n");
  expect((await ask())["codex"]).toMatchObject({
    status: "fail",
    summary: expect.stringContaining("(status SIGHUP)"),
    detail: "broken",
    recovery: expect.stringContaining("npm install"),
  });
  writeFileSync(codex, "#!/no/such/interpreter\n");
  expect((await ask())["codex"]).toMatchObject({
    status: "fail",
    summary: expect.stringContaining("interpreter"),
    recovery: expect.stringContaining("npm install"),
  });
  writeFileSync(codex, "#!/bin/sh\necho Error: no licence; yes note | head -c 100000 >&2; exec sleep 60\n");
  expect(await ask({ timeoutMs: 1000, app_server: true })).toMatchObject({
    codex: { status: "fail", detail: "Error: no licence" },
    app_server: { status: "fail", summary: "codex did not finish within 1 s: Error: no licence" },
  });
  chmodSync(codex, 0o600);
  expect((await ask())["codex"]).toMatchObject({
    status: "fail",
    recovery: expect.stringContaining("codex"),
  });
}, 15_000);

test("a codex that is older than those that were tested is a warning; a newer one is named, and is none", async () => {
  const { bin, ask } = place();
  const found = async (version: string) => {
    writeFileSync(join(bin, "codex"), `#!/bin/sh\necho codex-cli ${version}\n`);
    const { status, summary, recovery } = (await ask())["codex"]!;
    expect([version, summary]).toEqual([version, expect.stringContaining(`${tested.from} to ${tested.to}`)]);
    return [status, recovery];
  };
  for (const version of ["0.12.0", "0.162.9"])
    expect(await found(version)).toEqual(["warn", "npm install -g @openai/codex@latest"]);
  for (const version of ["99.0.0", "0.172.0-alpha.1"]) expect(await found(version)).toEqual(["ok", null]);
});

test("credentials are told from outside: missing, in the environment, a file, a file that others can read", async () => {
  const { env, codexHome, ask } = place();
  expect((await ask())["auth"]).toMatchObject({ status: "warn", recovery: "codex login" });
  const file = join(codexHome, "auth.json");
  writeFileSync(file, "never read", { mode: 0o600 });
  expect((await ask())["auth"]).toMatchObject({ status: "ok", summary: file });
  chmodSync(file, 0o644);
  expect((await ask())["auth"]).toMatchObject({ status: "warn", recovery: `chmod 600 '${file}'` });
  chmodSync(file, 0o600);
  env["OPENAI_API_KEY"] = "sk-a-secret-of-this-test";
  expect(JSON.stringify(await ask())).not.toContain("sk-a-secret");
});

test("a home that others can reach fails with its chmod, and --fix applies just that", async () => {
  const { paths, ask } = place();
  chmodSync(paths.home, 0o755);
  expect((await ask())["home"]).toMatchObject({
    status: "fail",
    recovery: expect.stringContaining("chmod 700"),
  });
  expect(lstatSync(paths.home).mode & 0o777).toBe(0o755);
  expect((await ask({ fix: true }))["home"]).toMatchObject({
    status: "ok",
    fixed: [expect.stringContaining("0755")],
  });
  expect(lstatSync(paths.home).mode & 0o777).toBe(0o700);
});

test("--fix never touches what a symbolic link points to", async () => {
  const { paths, env, ask } = place();
  const real = mkdtempSync(join(tmpdir(), "doctor-real-"));
  chmodSync(real, 0o755);
  const link = `${paths.home}-link`;
  symlinkSync(real, link);
  const checks = await runChecks(
    pathsOf({ DISPATCH_HOME: link }),
    { fix: true, app_server: false, timeoutMs: 5000 },
    { env, isSandboxed: false, clock: systemClock },
  );
  expect(checks.find((check) => check.name === "home")).toMatchObject({
    status: "fail",
    summary: expect.stringContaining("symbolic link"),
  });
  expect(lstatSync(real).mode & 0o777).toBe(0o755);
  expect((await ask())["home"]!.status).toBe("ok");
});

test("a stale socket is told, removed by --fix, and left alone while somebody holds the lock", async () => {
  const { paths, ask } = place();
  await leaveSocket(paths);
  expect((await ask())["socket"]).toMatchObject({ status: "warn", recovery: "dispatch doctor --fix" });
  const lock = instance(paths);
  await ask({ fix: true, timeoutMs: 200 });
  expect(existsSync(paths.socket)).toBe(true);
  lock.release();
  expect((await ask({ fix: true }))["socket"]).toMatchObject({
    status: "ok",
    fixed: [expect.stringContaining(paths.socket)],
  });
  expect(existsSync(paths.socket)).toBe(false);
});

test("a regular file where the socket belongs fails, and --fix leaves it", async () => {
  const { paths, ask } = place();
  writeFileSync(paths.socket, "precious");
  expect((await ask({ fix: true }))["socket"]).toMatchObject({
    status: "fail",
    summary: expect.stringContaining(paths.socket),
  });
  expect(existsSync(paths.socket)).toBe(true);
});

test("a daemon that answers is ok with what it says; one with limits is a warning with the way out", async () => {
  const { paths, ask } = place();
  const lock = instance(paths);
  let degraded: object[] = [];
  const call = async () => ({ uptime: 5, degraded });
  const control = openControl({ path: paths.socket, hello, call, clock: systemClock, log: memoryLog() });
  expect((await ask())["daemon"]).toMatchObject({
    status: "ok",
    data: { running: true, pid: process.pid, status: { uptime: 5 } },
  });
  degraded = [{ code: "agent_down", message: "codex is logged out", hint: "codex login" }];
  expect((await ask())["daemon"]).toMatchObject({
    status: "warn",
    recovery: "codex login",
    summary: expect.stringContaining("logged out"),
  });
  expect((await ask({ isSandboxed: true }))["daemon"]).toMatchObject({
    status: "warn",
    summary: expect.stringContaining("sandboxed"),
  });
  control.close();
  lock.release();
});

test("a daemon that holds the lock and answers nothing fails within the time given", async () => {
  const { paths, ask } = place();
  const lock = instance(paths);
  expect((await ask({ timeoutMs: 200 }))["daemon"]).toMatchObject({
    status: "fail",
    summary: expect.stringContaining("does not answer"),
  });
  const call = () => new Promise<never>(() => {});
  const control = openControl({ path: paths.socket, hello, call, clock: systemClock, log: memoryLog() });
  expect((await ask({ timeoutMs: 200 }))["daemon"]).toMatchObject({
    status: "fail",
    summary: expect.stringContaining("0.2 s"),
  });
  control.close();
  lock.release();
});

test("an empty or damaged registry fails and stays as it is", async () => {
  const { paths, ask } = place();
  writeFileSync(paths.db, "");
  expect((await ask({ fix: true }))["registry"]).toMatchObject({
    status: "fail",
    summary: expect.stringContaining("empty"),
  });
  writeFileSync(paths.db, "this is no database at all, but long enough to be read as one".repeat(20));
  expect((await ask({ fix: true }))["registry"]!.status).toBe("fail");
  expect(lstatSync(paths.db).size).toBeGreaterThan(100);
});

test("threads that may write dispatch's own files are named, with a way out, also those that a person let", async () => {
  const { paths, ask } = place();
  const store = openStore(paths.db, 1);
  const effective = (sandbox: EffectiveSettings["sandbox"], cwd: string): EffectiveSettings => ({
    ...nothingElse,
    sandbox,
    cwd,
  });
  const above = dirname(paths.home);
  const rows: [ref: string, effective: EffectiveSettings | null, more?: Partial<Lane>][] = [
    ["bcd111", effective("workspace-write", above)],
    ["bcd222", effective("workspace-write", above), { settings: { cwd: above, may_write_home: true } }],
    ["bcd333", effective("workspace-write", join(above, "bin"))],
    ["bcd444", effective("read-only", above)],
    ["bcd555", effective("danger-full-access", above)],
    ["bcd666", effective("workspace-write", above), { archived_at: 1 }],
    ["bcd777", null],
  ];
  for (const [ref, known, more] of rows)
    store.lanes.add(laneRow({ ref: ref as Ref, thread_id: ref, handle: null, effective: known, ...more }));
  store.close();
  const found = (await ask())["threads"]!;
  expect(found.status).toBe("warn");
  expect(found.data).toEqual({
    threads: [
      { ref: "bcd111", title: "docs", root: above, let: false },
      { ref: "bcd222", title: "docs", root: above, let: true },
    ],
  });
  expect(found.recovery).toContain("dispatch fork bcd111");
});

test("threads whose folder is gone are named, with a way out, also beside one that may write the home", async () => {
  const { paths, ask } = place();
  const store = openStore(paths.db, 1);
  const effective: EffectiveSettings = { ...nothingElse, sandbox: "read-only", cwd: "/" };
  for (const [ref, cwd] of [
    ["bcd111", "/"],
    ["bcd222", join(paths.home, "gone")],
    ["bcd333", join(paths.db, "below-a-file")],
  ] as const)
    store.lanes.add(laneRow({ ref: ref as Ref, thread_id: ref, handle: null, cwd, effective }));
  const writer: EffectiveSettings = { ...nothingElse, sandbox: "workspace-write", cwd: dirname(paths.home) };
  store.lanes.add(
    laneRow({ ref: "bcd444" as Ref, thread_id: "w", handle: null, cwd: "/", effective: writer }),
  );
  store.close();
  const found = (await ask())["folders"]!;
  expect(found.status).toBe("warn");
  expect(found.data).toMatchObject({ threads: [{ ref: "bcd222" }, { ref: "bcd333" }] });
  expect(found.recovery).toContain("dispatch fork bcd222 --name NAME --cwd DIR");
});

test.skipIf(!tmpdir().startsWith("/tmp"))(
  "a home in a folder that is temporary for every workspace is named",
  async () => {
    const { paths, ask } = place();
    const store = openStore(paths.db, 1);
    const details = {
      writable_roots: [],
      network_access: false,
      exclude_slash_tmp: false,
      exclude_tmpdir: false,
    };
    const effective = (sandbox_details: SandboxDetails): EffectiveSettings => ({
      ...nothingElse,
      sandbox: "workspace-write",
      cwd: "/elsewhere",
      sandbox_details,
    });
    const add = (ref: string, known: EffectiveSettings) =>
      store.lanes.add(laneRow({ ref: ref as Ref, thread_id: ref, handle: null, effective: known }));
    add("bcd111", effective(details));
    add("bcd222", effective({ ...details, exclude_slash_tmp: true }));
    store.close();
    const found = (await ask())["threads"]!;
    expect(found.data).toEqual({ threads: [{ ref: "bcd111", title: "docs", root: "/tmp", let: false }] });
    expect(found.recovery).toContain("DISPATCH_HOME");
  },
);

test("a codex that starts no app-server fails the smoke test with its own words, in bounded time", async () => {
  const { ask } = place();
  const found = await ask({ app_server: true, timeoutMs: 3000 });
  expect(found["app_server"]!.status).toBe("fail");
}, 15_000);

/** What doctor finds and may put right: where, and how it comes about. */
const faults: Record<
  string,
  { check: string; status: "warn" | "fail"; make(paths: Paths): void | Promise<void> }
> = {
  "a home that others can reach": {
    check: "home",
    status: "fail",
    make: ({ home }) => chmodSync(home, 0o755),
  },
  "a directory of the socket that others can reach": {
    check: "socket",
    status: "fail",
    make: ({ socket }) => chmodSync(dirname(socket), 0o750),
  },
  "a socket that nobody listens on": { check: "socket", status: "warn", make: leaveSocket },
  "a registry that others can read": {
    check: "registry",
    status: "fail",
    make: ({ db }) => chmodSync(db, 0o644),
  },
  "a lock that others can hold": {
    check: "registry",
    status: "fail",
    make: ({ lock }) => writeFileSync(lock, "", { mode: 0o666 }),
  },
  "a backup that was cut off": {
    check: "registry",
    status: "warn",
    make({ db }) {
      const left = `${db}.backup.20260101T000000000Z.0123abcd.partial`;
      writeFileSync(left, "half of it");
      utimesSync(left, 1, 1);
    },
  },
};

describe("what cannot lose anything is found, put right by --fix, told, and then gone", () => {
  const broken = async (names: readonly string[]) => {
    const here = place({ socket: "sockets/s" });
    mkdirSync(dirname(here.paths.socket), { mode: 0o700 });
    registryCalled(here.paths.db, "docs");
    for (const name of names) await faults[name]!.make(here.paths);
    return here;
  };
  const unwell = (found: Record<string, Check>) =>
    Object.values(found).filter(({ status }) => status === "fail" || status === "warn");
  const expected = ["auth", "path"];

  test.each(Object.keys(faults))("%s", async (name) => {
    const { check, status } = faults[name]!;
    const { ask } = await broken([name]);
    const found = unwell(await ask()).filter((one) => !expected.includes(one.name));
    expect(found).toMatchObject([{ name: check, status, fixable: true, fixed: [] }]);
    expect((await ask({ fix: true }))[check]).toMatchObject({
      status: "ok",
      fixable: false,
      fixed: [expect.any(String)],
    });
    expect(unwell(await ask()).map((one) => one.name)).toEqual(expect.arrayContaining(expected));
    expect(unwell(await ask())).toHaveLength(expected.length);
  });

  test("all of them at once", async () => {
    const { ask, paths } = await broken(Object.keys(faults));
    const fixed = Object.values(await ask({ fix: true })).flatMap((one) => one.fixed);
    expect(fixed).toHaveLength(Object.keys(faults).length);
    expect(unwell(await ask())).toHaveLength(expected.length);
    expect(titleIn(paths.db)).toBe("docs");
  });

  test("the directory that the registry is to stand in", async () => {
    const { ask, paths } = place({ db: "no/such/registry.db" });
    expect((await ask())["registry"]).toMatchObject({
      status: "fail",
      fixable: true,
      recovery: expect.stringContaining("mkdir"),
    });
    expect((await ask({ fix: true }))["registry"]).toMatchObject({
      status: "skipped",
      fixed: [expect.stringContaining("created")],
    });
    expect(lstatSync(dirname(paths.db)).mode & 0o777).toBe(0o700);
  });

  test("a mark of a down that was cut off, and a socket that others can reach, under a daemon that runs", async () => {
    const { ask, paths } = place();
    const lock = instance(paths);
    const call = async () => ({ degraded: [] });
    const control = openControl({ path: paths.socket, hello, call, clock: systemClock, log: memoryLog() });
    writeFileSync(paths.stopped, "");
    chmodSync(paths.socket, 0o777);
    expect((await ask({ fix: true }))["daemon"]!.fixed).toEqual([]);
    utimesSync(paths.stopped, 1, 1);
    chmodSync(paths.socket, 0o777);
    expect(await ask()).toMatchObject({
      daemon: { status: "warn", fixable: true },
      socket: { status: "fail", fixable: true },
    });
    expect(await ask({ fix: true })).toMatchObject({ daemon: { status: "ok" }, socket: { status: "ok" } });
    expect(existsSync(paths.stopped)).toBe(false);
    control.close();
    lock.release();
  });
});

describe("what somebody may want is found and left", () => {
  const left: Record<string, { check: string; make(at: ReturnType<typeof place>): string }> = {
    "a directory where the log belongs": {
      check: "home",
      make({ paths }) {
        mkdirSync(paths.log);
        return paths.log;
      },
    },
    "a copy that is being written": {
      check: "registry",
      make({ paths }) {
        const partial = `${paths.db}.backup.20260101T000000000Z.0123abcd.partial`;
        registryCalled(paths.db, "docs");
        writeFileSync(partial, "half of it");
        return partial;
      },
    },
    "the last changes of a registry that is gone": {
      check: "registry",
      make({ paths }) {
        writeFileSync(`${paths.db}-wal`, "x");
        return `${paths.db}-wal`;
      },
    },
    "a login that others can read": {
      check: "auth",
      make({ codexHome }) {
        const file = join(codexHome, "auth.json");
        writeFileSync(file, "never read", { mode: 0o644 });
        return file;
      },
    },
  };

  test.each(Object.keys(left))("%s", async (name) => {
    const here = place();
    const { check, make } = left[name]!;
    const path = make(here);
    const before = lstatSync(path).mode;
    const found = (await here.ask({ fix: true }))[check];
    expect(found).toMatchObject({ fixable: false, fixed: [] });
    if (name !== "a copy that is being written") expect(found!.status).not.toBe("ok");
    expect(lstatSync(path).mode).toBe(before);
  });

  test("a CODEX_HOME that is named and not there is not made: the name may be wrong", async () => {
    const { env, ask, codexHome } = place();
    env["CODEX_HOME"] = `${codexHome}/typo`;
    expect((await ask({ fix: true }))["auth"]).toMatchObject({
      status: "fail",
      fixed: [],
      recovery: expect.stringContaining("mkdir -p"),
    });
    expect(existsSync(env["CODEX_HOME"]!)).toBe(false);
    writeFileSync(env["CODEX_HOME"]!, "");
    expect((await ask())["auth"]).toMatchObject({ status: "fail", recovery: "correct CODEX_HOME" });
  });
});
