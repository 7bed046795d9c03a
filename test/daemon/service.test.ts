/** The files of the service, read by the programs that will read them where those are here. */
import { expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLock } from "../../src/base/flock.ts";
import { pathsOf } from "../../src/base/paths.ts";
import { plistText } from "../../src/daemon/service/plist.ts";
import { noteOf, type Recorded, recordIn, recordOf } from "../../src/daemon/service/record.ts";
import { serviceOf } from "../../src/daemon/service/service.ts";
import { unitText } from "../../src/daemon/service/unit.ts";

const odd = `/odd %h "q" $x \\ <&> --y é`;
const recorded: Recorded = {
  version: "1.0.0",
  home: odd,
  program: ["/bin/sh", "--service", "--home", odd],
  env: { PATH: `/usr/bin:${odd}`, CODEX_HOME: odd },
};

/** A user's folder with Codex and stand-ins for the managers that write down their calls. */
function place() {
  const root = mkdtempSync(join(tmpdir(), "service ü "));
  const bin = join(root, "bin");
  mkdirSync(bin);
  const calls = join(root, "calls");
  for (const name of ["systemctl", "launchctl"])
    writeFileSync(
      join(bin, name),
      `#!/bin/sh\necho "$*" >> '${calls}'\n[ "$1" = print ] && echo "	pid = 7"\n[ "$2" = show ] && printf 'MainPID=7\\nUnitFileState=enabled\\n'\nexit 0\n`,
      { mode: 0o755 },
    );
  writeFileSync(join(bin, "codex"), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(join(bin, "dispatch"), "", { mode: 0o755 });
  symlinkSync("dispatch", join(bin, "dispatchd"));
  const paths = pathsOf({ DISPATCH_HOME: join(root, "home") });
  mkdirSync(paths.home, { mode: 0o700 });
  const env = { HOME: root, PATH: `${bin}:relative:/usr/bin:/bin`, CODEX_HOME: join(root, "codex") };
  const argv = [join(bin, "dispatch"), "__daemon"];
  const service = (platform: string, more: Record<string, string> = {}) =>
    serviceOf(paths, argv, { env: { ...env, ...more }, platform });
  const called = () => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : []);
  return { root, bin, paths, env, argv, service, called };
}

test("what a file records is read back, also from a comment of XML", () => {
  expect(recordIn(`# ${noteOf(recorded)}`)).toEqual(recorded);
  expect(recordIn(unitText(recorded))).toEqual(recorded);
  const plist = plistText(recorded, "/x.log");
  expect(recordIn(plist)).toEqual(recorded);
  expect(/<!--(?:(?!-->)[\s\S])*--(?!>)/.test(plist)).toBe(false);
  expect(recordIn("[Unit]\n")).toBeUndefined();
});

test("systemd accepts the unit, with odd names in it", () => {
  if (!Bun.which("systemd-analyze")) return;
  const folder = mkdtempSync(join(tmpdir(), "unit-"));
  const file = join(folder, "dispatch.service");
  writeFileSync(file, unitText(recorded));
  const checked = Bun.spawnSync(["systemd-analyze", "verify", "--user", "--man=no", file], {
    env: { ...process.env, XDG_RUNTIME_DIR: folder },
  });
  expect([checked.exitCode, checked.stderr.toString()]).toEqual([0, ""]);
});

test("a strict reader of property lists finds the program and its environment", () => {
  if (!Bun.which("python3")) return;
  const script = "import json,plistlib,sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))";
  const { stdout, exitCode, stderr } = Bun.spawnSync(["python3", "-c", script], {
    stdin: Buffer.from(plistText(recorded, `${odd}/daemon.log`)),
  });
  expect([exitCode, stderr.toString()]).toEqual([0, ""]);
  expect(JSON.parse(stdout.toString())).toMatchObject({
    ProgramArguments: recorded.program,
    EnvironmentVariables: recorded.env,
    RunAtLoad: true,
    KeepAlive: { SuccessfulExit: false },
    StandardErrorPath: `${odd}/daemon.log`,
  });
});

test("the environment of the shell is recorded, and what may be a secret is named and left out", () => {
  const { paths, argv, bin, env } = place();
  const given = { ...env, MY_KEY: "s3cret", HTTPS_PROXY: "http://me:s3cret@proxy:1", EDITOR: "vi" };
  const { recorded, left } = recordOf(paths, { env: given, argv, passed: ["MY_KEY"], manager: "systemd" });
  expect(JSON.stringify(recorded)).not.toContain("s3cret");
  expect(left).toEqual(["MY_KEY", "HTTPS_PROXY"]);
  // A name on PATH for the same file outlives an upgrade; a relative folder would be another one.
  expect(recorded.program).toEqual([join(bin, "dispatchd"), "--service", "--home", paths.home]);
  expect(recorded.env).toMatchObject({ PATH: `${bin}:/usr/bin:/bin`, CODEX_HOME: env.CODEX_HOME });
  expect(recorded.env).not.toHaveProperty("EDITOR");
});

test("on macOS it is an agent of launchd, loaded again by each install and unloaded by remove", async () => {
  const { root, paths, service, called } = place();
  const lock = openLock(paths.lock)!;
  const installed = await service("darwin").install({ dry_run: false });
  const file = join(root, "Library/LaunchAgents/dispatch.daemon.plist");
  expect(installed).toMatchObject({ manager: "launchd", state: "installed", file, pid: 7, enabled: true });
  // A daemon runs, so nothing is started beside it.
  expect(called().some((call) => call.startsWith("bootstrap"))).toBe(false);
  expect(await service("darwin").status()).toMatchObject({ state: "installed" });
  expect(await service("darwin").remove({ dry_run: false })).toMatchObject({ state: "absent" });
  expect(called().some((call) => call.startsWith("bootout gui/"))).toBe(true);
  expect(existsSync(file)).toBe(false);
  lock.release();
});

test("where no manager is there, the error says so and names the other way", async () => {
  const { service, env } = place();
  await expect(service("freebsd").status()).rejects.toMatchObject({ code: "not_found" });
  for (const [platform, program] of [
    ["linux", "systemctl"],
    ["darwin", "launchctl"],
  ] as const) {
    const without = service(platform, { PATH: "/nowhere" });
    await expect(without.install({ dry_run: false })).rejects.toMatchObject({
      code: "not_found",
      message: expect.stringContaining(program),
      hint: "start it by a manager of your own: dispatchd --foreground",
    });
    expect(await without.status()).toMatchObject({ state: "absent", next: null });
    expect(await service(platform).status()).toMatchObject({ next: "dispatch service install" });
  }
  expect(env.PATH).not.toBe("/nowhere");
});

test("without Codex nothing is installed", async () => {
  const { root, bin, service } = place();
  rmSync(join(bin, "codex"));
  await expect(service("linux", { PATH: bin }).install({ dry_run: true })).rejects.toMatchObject({
    code: "agent_down",
  });
  expect(existsSync(join(root, ".config"))).toBe(false);
});

test("a file that dispatch did not write is left alone", async () => {
  const { root, service } = place();
  const file = join(root, ".config/systemd/user/dispatch.service");
  mkdirSync(join(root, ".config/systemd/user"), { recursive: true });
  writeFileSync(file, "[Unit]\n");
  for (const verb of ["install", "remove"] as const)
    await expect(service("linux")[verb]({ dry_run: false })).rejects.toMatchObject({ code: "conflict" });
  expect(await service("linux").status()).toMatchObject({ state: "other" });
  expect(readFileSync(file, "utf8")).toBe("[Unit]\n");
});
