/** What Codex refuses for good, through the real one: told when it is given, or shown as blocked until it is put right. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dispatchRig, type Rig } from "../support/dispatch.ts";

setDefaultTimeout(60_000);

let rig: Rig;
let config: string;

beforeAll(async () => {
  rig = dispatchRig();
  config = join(rig.codex.home, "config.toml");
  await rig.ask(["up"]);
});

afterAll(() => rig.dispose());

const threads = async () => (await rig.ask(["list"])).threads.length;

test.each([
  ["a blank goal", "--goal", "   "],
  ["an invisible goal", "--goal", "\u200b"],
  ["a blank name", "--name", "\u0085"],
  ["an invisible name", "--name", "\u2800"],
  ["a nested setting", "--config", `a=${"[".repeat(200)}${"]".repeat(200)}`],
  ["a key of many parts", "--config", `a${".a".repeat(20_000)}=1`],
])("new with %s is refused when it is given", async (_, flag, value) => {
  const before = await threads();
  const rest = flag === "--name" ? [] : ["--name", "refused"];
  expect((await rig.refused(["new", ...rest, flag, value])).code).toBe("usage");
  expect(await threads()).toBe(before);
});

test("a goal is refused when Codex's goals are switched off, and threads are opened all the same", async () => {
  const { ref } = await rig.ask(["new", "--name", "before"]);
  const text = readFileSync(config, "utf8");
  writeFileSync(config, text.replace("[features]", "[features]\ngoals = false"));
  await rig.ask(["down", "--yes"]);
  await rig.ask(["up"]);
  const before = await threads();
  const { code, message } = await rig.refused(["new", "--name", "goal", "--goal", "ship it"]);
  expect(code).toBe("agent");
  expect(message).toContain("goals feature is disabled");
  expect(await threads()).toBe(before);
  const { receipt } = await rig.ask(["send", ref, "hello"]);
  expect((await rig.run(["wait", receipt, "--timeout", "30"])).code).toBe(0);
  writeFileSync(config, text);
  await rig.ask(["down", "--yes"]);
  await rig.ask(["up"]);
});

test("an unknown permission profile is named, with where the known ones are", async () => {
  const { ref } = await rig.ask(["new", "--name", "profiles"]);
  const text = readFileSync(config, "utf8");
  const profile = ["--permission-profile", "nope"];
  for (const table of ["", '\n[permissions.mine.filesystem]\n":root" = "read"\n']) {
    writeFileSync(config, `${text}${table}`);
    for (const command of [["new"], ["fork", ref]])
      expect(await rig.refused([...command, "--name", "refused", ...profile])).toMatchObject({
        code: "usage",
        message: expect.stringContaining("no permission profile `nope`"),
        hint: "to see the profiles: dispatch permissions",
      });
  }
  writeFileSync(config, text);
});

test("a configuration that breaks while Codex runs is named with its line by all that needs it", async () => {
  const { ref } = await rig.ask(["new", "--name", "broken"]);
  const { receipt } = await rig.ask(["send", ref, "hello"]);
  await rig.run(["wait", receipt, "--timeout", "30"]);
  const text = readFileSync(config, "utf8");
  writeFileSync(config, `${text}\n[tui\n`);
  const place = `${config}:${text.split("\n").length + 1}`;
  const isNamed = {
    code: "agent",
    message: expect.stringContaining(`${place}:`),
    hint: `correct ${place} and try again`,
  };
  const needing = [
    ["new", "--name", "refused"],
    ["fork", ref, "--name", "refused"],
    ["permissions"],
    ["models"],
  ];
  for (const command of needing) expect(await rig.refused(command)).toMatchObject(isNamed);
  await rig.ask(["down", "--yes"]);
  await rig.ask(["up"]);
  expect(await rig.refused(["send", ref, "now"])).toMatchObject(isNamed);
  const queued = await rig.ask(["send", ref, "--queue", "later"]);
  await rig.run(["wait", ref, "--for", "attention", "--timeout", "30"]);
  expect((await rig.ask(["get", ref])).blocked).toEqual({
    reason: isNamed.message,
    hint: expect.stringContaining("dispatch daemon retry"),
  });
  writeFileSync(config, text);
  await rig.ask(["daemon", "retry"]);
  expect((await rig.run(["wait", queued.receipt, "--timeout", "30"])).code).toBe(0);
});

test("a thread whose provider left the configuration is blocked until it is back", async () => {
  const text = readFileSync(config, "utf8");
  const provider = /model_provider = "([^"]+)"/.exec(text)![1]!;
  const table = text.slice(text.indexOf(`[model_providers.${provider}]`));
  writeFileSync(config, `${text}\n${table.split("\n[")[0]!.replace(provider, "second")}\n`);
  const { ref } = await rig.ask(["new", "--name", "second", "--model-provider", "second"]);
  const first = await rig.ask(["send", ref, "hello"]);
  await rig.run(["wait", first.receipt, "--timeout", "30"]);
  await rig.ask(["down", "--yes"]);
  writeFileSync(config, text);
  await rig.ask(["up"]);
  const { receipt } = await rig.ask(["send", ref, "--queue", "hello again"]);
  expect((await rig.run(["wait", ref, "--for", "attention", "--timeout", "30"])).code).toBe(0);
  const thread = await rig.ask(["get", ref]);
  expect(thread).toMatchObject({ status: "blocked", queue: { pending: 1 } });
  expect(thread.blocked.reason).toContain("second");
  expect((await rig.run(["list"])).stdout).toContain("blocked");
  expect((await rig.run(["wait", receipt, "--timeout", "30"])).code).toBe(19);
  expect((await rig.refused(["send", ref, "now"])).hint).not.toContain("--steer");
  writeFileSync(config, `${text}\n${table.split("\n[")[0]!.replace(provider, "second")}\n`);
  await rig.ask(["daemon", "retry"]);
  await rig.run(["wait", receipt, "--timeout", "30"]);
  expect(await rig.ask(["receipt", "get", receipt])).toMatchObject({ state: "done", outcome: "completed" });
});
