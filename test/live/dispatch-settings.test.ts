/** What a thread may do stays what it was, whatever comes into Codex's configuration later: over the real Codex. */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.dispose();
});

/** With a folder that a thread may not write. */
function rigBeside(): { rig: Rig; other: string } {
  const rig = dispatchRig();
  rigs.push(rig);
  const other = join(rig.codex.cwd, "..", "other");
  mkdirSync(other);
  return { rig, other };
}

/** Codex's configuration now lets every workspace write there, and reach the network. */
function grow(rig: Rig, other: string): void {
  const lines = [
    "",
    "[sandbox_workspace_write]",
    `writable_roots = ["${other}"]`,
    "network_access = true",
    "",
  ];
  appendFileSync(join(rig.codex.home, "config.toml"), lines.join("\n"));
}

async function printed(rig: Rig, command: string): Promise<string> {
  await rig.ask([
    "send",
    "@writer",
    stringify([{ shell: command }, { say: "ok" }]),
    "--wait",
    "--timeout",
    "40",
  ]);
  const { items } = await rig.ask(["tail", "@writer", "--full"]);
  return items.findLast((item: Json) => item["type"] === "command").text;
}

const tries = (other: string) => `touch ${other}/x 2>&1; env | grep NETWORK_DISABLED; true`;
const workspace = ["new", "--name", "writer", "--sandbox", "workspace-write"];

test("a workspace gains no folder and no network that the configuration lets later, also after a kill", async () => {
  const { rig, other } = rigBeside();
  await rig.ask([...workspace, "--text", "hello"]);
  await rig.ask(["wait", "@writer"]);
  const before = await printed(rig, tries(other));
  expect(before).toContain("Read-only file system");
  expect(before).toContain("CODEX_SANDBOX_NETWORK_DISABLED=1");
  grow(rig, other);
  await rig.ask(["down"]);
  await rig.ask(["up"]);
  expect(await printed(rig, tries(other))).toBe(before);
  const { child } = await rig.pids();
  process.kill(child!, "SIGKILL");
  expect(await printed(rig, tries(other))).toBe(before);
  const { sandbox_details } = await rig.ask(["get", "@writer"]);
  expect(sandbox_details).toMatchObject({ writable_roots: [], network_access: false });
  // A fork keeps them too; a thread that is made now has what the configuration lets now.
  const fork = await rig.ask(["fork", "@writer", "--name", "copy"]);
  expect(fork.sandbox_details).toMatchObject({ writable_roots: [], network_access: false });
  const late = await rig.ask(["new", "--name", "late", "--sandbox", "workspace-write"]);
  expect(late.sandbox_details).toMatchObject({ writable_roots: [other], network_access: true });
});

test("what a workspace was given stays, when the configuration takes it back", async () => {
  const { rig, other } = rigBeside();
  const key = "sandbox_workspace_write";
  const given = [
    "--config",
    `${key}.writable_roots=["${other}"]`,
    "--config",
    `${key}.exclude_slash_tmp=true`,
  ];
  const made = await rig.ask([...workspace, ...given, "--text", "hello"]);
  expect(made.sandbox_details).toMatchObject({ writable_roots: [other], exclude_slash_tmp: true });
  await rig.ask(["wait", "@writer"]);
  await rig.ask(["down"]);
  await rig.ask(["up"]);
  expect(await printed(rig, tries(other))).not.toContain("Read-only");
  const shown = await rig.screen(["get", "@writer"], { columns: 200 });
  expect(shown.text).toContain(`sandbox workspace-write + ${other}`);
});

test("what was given as one table stays too, and a thread that is taken over keeps what it ran with", async () => {
  const { rig, other } = rigBeside();
  const table = JSON.stringify({ writable_roots: [other], network_access: true });
  await rig.ask([...workspace, "--config", `sandbox_workspace_write=${table}`, "--text", "hello"]);
  await rig.ask(["wait", "@writer"]);
  await rig.ask(["down"]);
  await rig.ask(["up"]);
  expect(await printed(rig, tries(other))).not.toContain("Read-only");
  const { ref } = await rig.ask(["give", "@writer"]);
  await rig.ask(["forget", ref, "--yes"]);
  const [theirs] = (await rig.ask(["list", "--unmanaged"])).threads;
  const attached = await rig.ask(["attach", theirs.id]);
  const taken = await rig.ask(["take", attached.ref]);
  expect(taken).toMatchObject({
    sandbox: "workspace-write",
    sandbox_details: { writable_roots: [other], network_access: true },
  });
});

test("a policy of several parts keeps each of them", async () => {
  const { rig } = rigBeside();
  const parts = {
    sandbox_approval: true,
    rules: true,
    mcp_elicitations: true,
    skill_approval: false,
    request_permissions: false,
  };
  await rig.ask([
    ...workspace,
    "--config",
    `approval_policy=${JSON.stringify({ granular: parts })}`,
    "--text",
    "hello",
  ]);
  await rig.ask(["wait", "@writer"]);
  expect((await rig.ask(["get", "@writer"])).approval_policy).toBe("granular");
  await rig.ask(["down"]);
  await rig.ask(["up"]);
  // Opened with other ones it would be held, and this refused.
  await rig.ask(["send", "@writer", stringify([{ say: "ok" }]), "--wait", "--timeout", "40"]);
  expect((await rig.ask(["get", "@writer"])).approval_policy).toBe("granular");
});
