/** An agent calls dispatch from a shell inside Codex's sandbox, where a unix socket cannot be reached. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { binary, dispatchRig, type Rig } from "../support/dispatch.ts";

setDefaultTimeout(60_000);

let rig: Rig;

beforeAll(() => {
  rig = dispatchRig();
});

afterAll(() => rig.dispose());

describe.each(["read-only", "workspace-write"])("in a %s sandbox", (sandbox) => {
  const name = `boxed-${sandbox}`;
  beforeAll(async () => {
    await rig.ask(["new", "--name", name, "--sandbox", sandbox]);
  });

  test.each([["list"], ["up"], ["down --force"], ["daemon status"], ["send @nobody hi"], ["new --name x"]])(
    "%s is denied, and says what to do",
    async (command) => {
      const before = await rig.pids();
      const said = await rig.shell(`@${name}`, `${binary} ${command} 2>&1; echo "status $?"`);
      expect(said).toContain('"code":"denied"');
      expect(said).toContain("sandbox");
      expect(said).toContain("MCP tools");
      expect(said).toContain("status 17");
      expect(existsSync(join(rig.home, "dispatch.sock"))).toBe(true);
      expect(await rig.pids()).toEqual(before);
    },
  );

  test("with another home nothing is started or made there", async () => {
    const home = join(rig.codex.cwd, `home-${sandbox}`);
    const said = await rig.shell(`@${name}`, `DISPATCH_HOME=${home} ${binary} list 2>&1; echo "status $?"`);
    expect(said).toContain("status 17");
    expect(existsSync(home)).toBe(false);
  });

  test("--version and --help work", async () => {
    const said = await rig.shell(`@${name}`, `${binary} --version && ${binary} list --help`);
    expect(said).toContain("dispatch 0.");
    expect(said).toContain("usage: dispatch list");
  });
});

test("outside the sandbox the shell of a thread reaches the daemon, and is known by its thread", async () => {
  const made = await rig.ask(["new", "--name", "free", "--sandbox", "danger-full-access"]);
  const said = await rig.shell("@free", `${binary} get self`);
  expect(JSON.parse(said)).toMatchObject({ ref: made.ref, status: "busy" });
  await rig.shell("@free", `${binary} new --name child`);
  expect(await rig.ask(["get", "@child"])).toMatchObject({ created_by: made.id });
});
