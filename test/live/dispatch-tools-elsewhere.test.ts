/** A thread with dispatch's own tools that another app has open, and what becomes of it here after that. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { codexExecutable } from "../support/codex.ts";
import { dispatchRig, type Rig } from "../support/dispatch.ts";
import { type Step, stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;
beforeAll(() => {
  rig = dispatchRig();
});
afterAll(() => rig.dispose());

const calling = (tool: string, args: Record<string, unknown> = {}): Step => ({
  tool,
  namespace: "dispatch_v1",
  arguments: args,
});
const output = () => {
  const items = rig.provider.requests.at(-1)!.body.input ?? [];
  return String(items.findLast((item) => item.type?.endsWith("_output"))?.output);
};

test("codex exec refuses a call at once, and the thread goes on here", async () => {
  const { ref, id } = await rig.thread("boss", "hello", ["--tools", "--sandbox", "read-only"]);
  await rig.ask(["give", ref]);
  const text = stringify([calling("dispatch_list"), { say: "that is all" }]);
  const exec = Bun.spawn([codexExecutable(), "exec", "--skip-git-repo-check", "resume", id, text], {
    cwd: rig.codex.cwd,
    env: rig.codex.env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    timeout: 30_000,
  });
  expect(await exec.exited).toBe(0);
  expect(output()).toBe("dynamic tool request failed");

  await rig.ask(["take", ref]);
  expect((await rig.ask(["get", ref])).tools).toBe("dispatch_v1");
  await rig.ask(["send", ref, text, "--wait", "--timeout", "30"]);
  expect(JSON.parse(output()).threads).toMatchObject([{ ref, status: "busy" }]);
});
