/** An upgrade of a service: the daemon of the newer program is the service's again, and not a command's. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { codexExecutable } from "../support/codex.ts";
import { binary, dispatchRig, type Rig } from "../support/dispatch.ts";
import { buildAs } from "../support/dispatch-build.ts";

setDefaultTimeout(60_000);

const newer = "999.0.0";
let folder = "";
let rig: Rig;
/** The rig's own program is the older one. */
let more: { env: Record<string, string | undefined> };

beforeAll(async () => {
  rig = dispatchRig();
  folder = mkdtempSync(join(resolve(import.meta.dir, "../../.scratch"), "service-"));
  const bin = join(folder, "bin");
  mkdirSync(bin);
  await buildAs(newer, join(folder, "newer"), ["thread.list"]);
  cpSync(binary, join(bin, "dispatch"));
  symlinkSync("dispatch", join(bin, "dispatchd"));
  symlinkSync(codexExecutable(), join(bin, "codex"));
  const fake = resolve(import.meta.dir, "../support/systemctl-fake.ts");
  writeFileSync(
    join(bin, "systemctl"),
    `#!/bin/sh\nexec '${process.execPath}' '${fake}' '${folder}' "$@"\n`,
    { mode: 0o755 },
  );
  more = { env: { PATH: `${bin}:/usr/bin:/bin`, DISPATCH_CODEX: undefined } };
});
afterAll(async () => {
  await rig.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** A command of the program on PATH. */
async function installed(...args: string[]) {
  const env = { ...rig.env, ...more.env } as Record<string, string>;
  const child = Bun.spawn([join(folder, "bin/dispatch"), ...args], {
    env,
    cwd: rig.codex.cwd,
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`dispatch ${args.join(" ")} ended with ${code}: ${err}`);
  return JSON.parse(out);
}

test("the first command that needs the newer daemon starts it by the service", async () => {
  const before = await installed("service", "install");
  expect(before).toMatchObject({ program: [join(folder, "bin/dispatchd"), "--service", "--home", rig.home] });
  await rig.pids();
  renameSync(join(folder, "newer"), join(folder, "bin/dispatch"));
  expect(await installed("list")).toMatchObject({ threads: [] });
  const { pid, version } = await installed("daemon", "status");
  await rig.pids();
  expect(version).toBe(newer);
  expect(pid).not.toBe(before.pid);
  expect(await installed("service", "status")).toMatchObject({ pid, daemon_pid: pid, next: null });
});
