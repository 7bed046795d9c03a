/** The daemon outlives the command that started it, and so does that command's environment: what of it reaches a thread. */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { codexExecutable } from "../support/codex.ts";
import { binary, dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.dispose();
});

function rigWith(env: Record<string, string> = {}): Rig {
  const rig = dispatchRig({ env });
  rigs.push(rig);
  return rig;
}

async function printed(rig: Rig, command: string): Promise<string> {
  await rig.ask([
    "send",
    "@docs",
    stringify([{ shell: command }, { say: "ok" }]),
    "--wait",
    "--timeout",
    "40",
  ]);
  const { items } = await rig.ask(["tail", "@docs", "--full"]);
  return items.findLast((item: Json) => item["type"] === "command").text;
}

test("a key and a token of the program that started it reach no thread, and are in no process's environment", async () => {
  const rig = rigWith({ SECRET_API_KEY: "sk-1", HOST_SESSION_TOKEN: "tok-1", PASSED_KEY: "pk-1" });
  mkdirSync(rig.home, { recursive: true, mode: 0o700 });
  writeFileSync(join(rig.home, "config.toml"), '[app_server]\nenv = ["PASSED_KEY"]\n');
  await rig.ask(["new", "--name", "docs"]);
  const env = await printed(rig, "env");
  expect(env).not.toContain("sk-1");
  expect(env).not.toContain("tok-1");
  // What the configuration names is passed on.
  expect(env).toContain("PASSED_KEY=pk-1");
  const { daemon } = await rig.pids();
  expect(await printed(rig, `tr '\\0' '\\n' < /proc/${daemon}/environ`)).not.toContain("sk-1");
});

test("daemon status says when, by what and with which PATH the daemon was started", async () => {
  const rig = rigWith();
  await rig.ask(["list"]);
  const status = await rig.ask(["daemon", "status"]);
  expect(status.environment).toMatchObject({
    path: rig.env["PATH"],
    by: expect.stringMatching(/^dispatch list \(pid \d+\) under \S+/),
  });
  expect(Date.parse(status.started_at)).toBeGreaterThan(0);
  const shown = await rig.screen(["daemon", "status"]);
  expect(shown.text).toContain("dispatch list (pid");
});

test("a codex that only the caller's PATH has: the error is told as the daemon's, with how to renew it", async () => {
  const rig = rigWith();
  const bare = { DISPATCH_CODEX: "", PATH: "/usr/bin:/bin" };
  await rig.ask(["list"], { env: bare });
  const full = { DISPATCH_CODEX: "", PATH: `${dirname(codexExecutable())}:/usr/bin:/bin` };
  expect(existsSync(binary)).toBe(true);
  const error = await rig.refused(["new", "--name", "docs"], { env: full });
  expect(error.code).toBe("agent_down");
  expect(error.message).toContain("the daemon was started by dispatch list");
  expect(error.message).toContain("PATH=/usr/bin:/bin");
  expect(error.hint).toContain("dispatch down, then dispatch up");
  // The hint holds when it is typed.
  await rig.ask(["down"], { env: full });
  await rig.ask(["up"], { env: full });
  await rig.ask(["new", "--name", "docs"], { env: full });
});
