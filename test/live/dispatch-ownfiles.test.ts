/** The policy lies in dispatch's home: no thread is made that could write it, also where Codex's configuration decides. */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { dispatchRig, type Rig } from "../support/dispatch.ts";

setDefaultTimeout(60_000);

const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.dispose();
});

/** With its home below the folder where threads work. */
function rigInside(config = ""): { rig: Rig; place: string; env: Record<string, string> } {
  const rig = dispatchRig({ config });
  rigs.push(rig);
  const place = join(rig.codex.cwd, "user");
  mkdirSync(place, { mode: 0o700 });
  return { rig, place, env: { DISPATCH_HOME: join(place, ".dispatch") } };
}

test("a workspace that holds the home is refused when it is asked for, and made when a person says so", async () => {
  const { rig, place, env } = rigInside();
  const wanted = ["new", "--name", "home", "--sandbox", "workspace-write", "--cwd", place];
  const error = await rig.refused(wanted, { env });
  expect(error).toMatchObject({ code: "denied", hint: expect.stringContaining("--may-write-home") });
  expect((await rig.refused(["new", "--dry-run", ...wanted.slice(1)], { env })).code).toBe("denied");
  expect((await rig.ask(["list"], { env })).threads).toEqual([]);
  await rig.ask([...wanted, "--may-write-home"], { env });
  await rig.ask(["down"], { env });
});

test("a workspace that Codex's own configuration chose is refused too, and leaves no thread", async () => {
  const { rig, place, env } = rigInside();
  const asked = ["new", "--name", "home", "--cwd", place, "--config", "sandbox_mode=workspace-write"];
  expect((await rig.refused(asked, { env })).code).toBe("denied");
  expect((await rig.ask(["list"], { env })).threads).toEqual([]);
  expect((await rig.ask(["list", "--unmanaged"], { env })).threads).toEqual([]);
  await rig.ask(["down"], { env });
});
