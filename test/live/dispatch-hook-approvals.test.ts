/** Approvals that a hook of Codex's own decides: dispatch is not asked, and says so all the same. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { trustedHook } from "../support/codex-hooks.ts";
import { dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { type Step, stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;
let config: string;

/** Decides by a word in the command: `yes` and `no` do, all else is left to the client. */
const script = `#!/bin/sh
input=$(cat)
say() { echo "{\\"hookSpecificOutput\\":{\\"hookEventName\\":\\"PermissionRequest\\",\\"decision\\":$1}}"; }
case "$input" in
  *hook-yes*) say '{"behavior":"allow"}' ;;
  *hook-no*) say '{"behavior":"deny","message":"not this one"}' ;;
esac
`;

beforeAll(async () => {
  rig = dispatchRig();
  config = await trustedHook(rig, "PermissionRequest", script);
  await rig.ask(["up"]);
});

afterAll(() => rig.dispose());

const careful = ["--sandbox", "read-only", "--approval-policy", "on-request"];
const touching = (name: string): Step => ({ shell: `touch ${name}`, escalate: "to write" });
const made = (name: string) => existsSync(join(rig.codex.cwd, name));

async function begun(name: string, steps: Step[]): Promise<string> {
  const text = stringify([...steps, { say: "on" }]);
  return (await rig.ask(["new", "--name", name, ...careful, "--text", text])).ref;
}

async function answers(ref: string): Promise<Json[]> {
  const { events } = await rig.ask(["events", "--thread", ref, "--kinds", "request.answered"]);
  return events.map(({ data, turn_id }: Json) => ({ ...(data as Json), turn_id }));
}

test("a yes is recorded with the hook and what ran", async () => {
  const ref = await begun("yes", [touching("hook-yes")]);
  expect((await rig.run(["wait", ref, "--timeout", "30"])).code).toBe(0);
  expect(made("hook-yes")).toBe(true);
  const { id } = (await rig.ask(["get", ref])).latest_turn;
  expect(await answers(ref)).toMatchObject([
    {
      decision: "approve",
      by: "a hook of Codex",
      summary: "/bin/bash -lc 'touch hook-yes'",
      hooks: [{ source: "user", path: config }],
      turn_id: id,
    },
  ]);
  expect((await rig.ask(["request", "list", "--thread", ref, "--all"])).requests).toEqual([]);
  expect((await rig.screen(["events", "--thread", ref], { columns: 160 })).text).toContain("a hook of Codex");
});

test("a no is recorded with its reason", async () => {
  const ref = await begun("no", [touching("hook-no")]);
  expect((await rig.run(["wait", ref, "--timeout", "30"])).code).toBe(0);
  expect(made("hook-no")).toBe(false);
  expect(await answers(ref)).toMatchObject([
    { decision: "deny", by: "a hook of Codex", summary: "not this one" },
  ]);
});

test("what the hook leaves to us is asked, and is nobody's but ours", async () => {
  const ref = await begun("silent", [touching("left-to-us")]);
  const { threads } = await rig.ask(["wait", ref, "--for", "waiting", "--timeout", "20"]);
  await rig.ask(["request", "answer", threads[0].requests[0].id, "--approve"]);
  expect((await rig.run(["wait", ref, "--timeout", "30"])).code).toBe(0);
  expect(made("left-to-us")).toBe(true);
  expect(await answers(ref)).toMatchObject([{ decision: "approve", by: "cli" }]);
});
