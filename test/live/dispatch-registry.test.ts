/** The registry kept by hand: copied while it is written to, checked, put back, with no message lost or doubled. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dispatchRig, type Rig } from "../support/dispatch.ts";
import { outputSchemas } from "../support/dispatch-schema.ts";

setDefaultTimeout(60_000);

let rig: Rig;
let saved: string;

beforeAll(() => {
  rig = dispatchRig();
});
afterAll(() => rig.dispose());

test("before there is one, every command says so and starts no daemon", async () => {
  for (const args of [["check"], ["backup"], ["migrate"]])
    expect(await rig.refused(["registry", ...args])).toMatchObject({
      code: "not_found",
      hint: "dispatch up",
    });
  expect((await rig.refused(["daemon", "status"])).code).toBe("daemon_down");
});

test("a backup beside a daemon that is being written to is whole, and its owner's alone", async () => {
  await rig.thread("docs", "first");
  await rig.ask(["queue", "hold", "@docs"]);
  const sends = Array.from({ length: 10 }, (_, n) => rig.ask(["send", "@docs", `waits ${n}`, "--queue"]));
  const { backup } = await rig.ask(["registry", "backup"]);
  await Promise.all(sends);
  expect(statSync(backup).mode & 0o777).toBe(0o600);
  const checked = await rig.ask(["registry", "check"]);
  expect(checked).toMatchObject({ sound: true, running: true, backups: [{ path: backup }] });
  (await outputSchemas(rig)).fits("registry check", checked);
  saved = (await rig.ask(["registry", "backup", "here.db"])).backup;
  expect(saved).toBe(join(rig.codex.cwd, "here.db"));
  expect(await rig.refused(["registry", "backup", "here.db"])).toMatchObject({ code: "conflict" });
});

test("migrate and restore are refused while the daemon runs, and a restore asks first", async () => {
  for (const args of [["migrate"], ["restore", saved, "--yes"]])
    expect(await rig.refused(["registry", ...args])).toMatchObject({
      code: "conflict",
      hint: "dispatch down",
    });
  expect(await rig.refused(["registry", "restore", saved])).toMatchObject({
    code: "usage",
    hint: expect.stringContaining("--yes"),
  });
});

test("a restored registry sends nothing of what was delivered since, until it is released", async () => {
  const { receipt } = await rig
    .ask(["queue", "list", "@docs", "--limit", "1"])
    .then(({ messages }) => messages[0]);
  const { next_cursor: cursor } = await rig.ask(["events"]);
  await rig.ask(["queue", "release", "@docs"]);
  await rig.ask(["wait", receipt, "--timeout", "30"]);
  await rig.ask(["wait", "@docs", "--timeout", "60"]);
  const asked = () => rig.provider.requests.filter((one) => JSON.stringify(one).includes("waits 0")).length;
  const heard = asked();
  await rig.ask(["down"]);
  expect(await rig.ask(["registry", "migrate"])).toMatchObject({ backup: null });
  const restored = await rig.ask(["registry", "restore", saved, "--yes"]);
  expect(restored).toMatchObject({ restored: saved, held: [{ title: "docs", pending: 10 }] });
  await rig.ask(["up"]);
  expect(await rig.ask(["get", "@docs"])).toMatchObject({
    queue: { pending: 10, held: true, reason: "by_hand" },
  });
  expect((await rig.refused(["events", "--since", cursor])).code).toBe("usage");
  await rig.ask(["send", "@docs", "is anybody there", "--queue"]);
  // It was said once already: the model is not asked again by itself.
  await rig.ask(["queue", "cancel", receipt]);
  expect([heard > 0, asked()]).toEqual([true, heard]);
  expect(readdirSync(rig.home).some((name) => name.startsWith("registry.db.replaced."))).toBe(true);
});

test("a damaged registry is found by doctor and by check, and put right by the command that they name", async () => {
  const { backup } = await rig.ask(["registry", "backup"]);
  await rig.ask(["down"]);
  writeFileSync(join(rig.home, "registry.db"), "no registry any more ".repeat(500));
  const { hint } = await rig.refused(["registry", "check"]);
  expect(hint).toBe(`dispatch registry restore ${backup}`);
  const { json } = await rig.run(["doctor", "--no-app-server"]);
  expect(json.checks.find((one: { name: string }) => one.name === "registry")).toMatchObject({
    status: "fail",
    recovery: hint,
  });
  await rig.ask([...hint!.split(" ").slice(1), "--yes"]);
  await rig.ask(["up"]);
  expect((await rig.ask(["list"])).threads).toHaveLength(1);
});
